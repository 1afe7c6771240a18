import { argon2Sync, createHmac, randomBytes } from 'node:crypto';
import type { BasicProviderConfig, BasicUserConfig } from '../config/model.ts';
import { parseJson, type Value } from '../expression/index.ts';
import { Failure } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { isAddressed, refused } from './bearer.ts';
import {
  AMBIGUOUS,
  type Challenge,
  type Credential,
  type Decision,
  type Identity,
  type Place,
  type Provider,
} from './contract.ts';
import { compileMapping, type Mapping, revocationTags } from './mapping.ts';
import { PasswordChecks, type PasswordHash, parsePasswordHash } from './passwords/index.ts';
import { placesOf, readPlaces } from './places.ts';

/** Passwords that were found right, in a worker: the longest unused goes first. */
const MOST_KEPT = 10_000;
/** Longer ones are no good, and not looked at. */
const LONGEST = 8 * 1024;

interface User {
  readonly hash: PasswordHash;
  readonly identity: Identity;
}

/** Names and passwords (RFC 7617). */
export class BasicProvider implements Provider {
  readonly name: string;
  readonly kind = 'basic';
  readonly discoverable = false;
  readonly places: readonly Place[];
  readonly serviceHeaders: readonly string[] = [];
  readonly challenge: Challenge;
  readonly crossSite: boolean;
  private readonly users = new Map<string, User>();
  private readonly hashes: readonly PasswordHash[];
  private readonly checks = new PasswordChecks();
  /** By a keyed hash of name and password: what is kept is of no use to anybody. */
  private readonly right = new Map<string, Identity>();
  private readonly flights = new Map<string, Promise<Decision>>();
  private readonly blind = randomBytes(32);

  constructor(config: BasicProviderConfig) {
    this.name = config.name;
    this.crossSite = config.crossSite;
    this.places = placesOf(config);
    this.challenge = {
      scheme: 'Basic',
      params: [
        ['realm', config.realm],
        ['charset', 'UTF-8'],
      ],
    };
    const mapping = compileMapping(config);
    for (const user of config.users)
      this.users.set(user.name, {
        hash: hashOf(user.password),
        identity: identityOf(config.name, user, mapping),
      });
    this.hashes = [...this.users.values()].map(({ hash }) => hash);
  }

  recognises(exchange: Exchange): Credential | typeof AMBIGUOUS | null {
    const found = readPlaces(this.places, exchange);
    if (found === null || found === AMBIGUOUS) return found;
    const value = /^basic +(.*)$/i.exec(found.value)?.[1];
    if (value !== undefined) return { place: found.place, value };
    return found.place.in === 'header' && found.place.name === 'authorization' ? null : found;
  }

  isAddressed(exchange: Exchange): boolean {
    return isAddressed(this.places, exchange);
  }

  authenticate({ value }: Credential): Decision | Promise<Decision> {
    const shown = value.length > LONGEST ? null : decoded(value);
    if (shown === null) return refused('this is no name and password (RFC 7617 §2)');
    const key = createHmac('sha256', this.blind)
      .update(`${shown.name}:`)
      .update(shown.password)
      .digest('base64');
    const known = this.right.get(key);
    if (known !== undefined) return { kind: 'allowed', identity: known };
    let flight = this.flights.get(key);
    if (flight === undefined) {
      flight = this.check(shown, key).finally(() => this.flights.delete(key));
      this.flights.set(key, flight);
    }
    return flight;
  }

  describe(): string {
    return `the password is checked against ${this.users.size} known ${this.users.size === 1 ? 'user' : 'users'}`;
  }

  close(): void {
    this.checks.close();
  }

  /** For an unknown name a password is checked as well, against what is as dear: how long it takes tells nothing. */
  private async check({ name, password }: Shown, key: string): Promise<Decision> {
    const user = this.users.get(name);
    const checking = this.checks.check(password, user?.hash ?? this.instead(name));
    if (checking === null)
      return {
        kind: 'unavailable',
        failure: new Failure('TG_AUTH_UNAVAILABLE', `${this.name}: too many passwords wait to be checked`, 1),
      };
    try {
      const fits = await checking;
      if (user === undefined || !fits) return refused('the name or the password is wrong');
      this.keep(key, user.identity);
      return { kind: 'allowed', identity: user.identity };
    } catch (error) {
      return {
        kind: 'unavailable',
        failure: new Failure('TG_AUTH_UNAVAILABLE', `${this.name}: ${(error as Error).message}`),
      };
    }
  }

  /** One of the users' hashes, for the same name always the same. */
  private instead(name: string): PasswordHash {
    const digest = createHmac('sha256', this.blind).update(name).digest();
    return this.hashes[digest.readUInt32BE(0) % this.hashes.length]!;
  }

  private keep(key: string, identity: Identity): void {
    this.right.set(key, identity);
    if (this.right.size > MOST_KEPT) this.right.delete(this.right.keys().next().value!);
  }
}

interface Shown {
  readonly name: string;
  readonly password: Buffer;
}

/** RFC 7617 §2: base64 of name, colon, password; no control characters in either. */
function decoded(value: string): Shown | null {
  const text = value.trim();
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  const bytes = Buffer.from(text, 'base64');
  const colon = bytes.indexOf(':');
  if (colon < 0 || bytes.some((byte) => byte < 0x20 || byte === 0x7f)) return null;
  return { name: bytes.toString('utf8', 0, colon), password: bytes.subarray(colon + 1) };
}

/** What stands in the environment as it is, is hashed here, so that all checks are alike. */
function hashOf(password: string): PasswordHash {
  const parsed = parsePasswordHash(password);
  if (typeof parsed !== 'string') return parsed;
  const salt = randomBytes(16);
  const cost = { memory: 19_456, passes: 2, parallelism: 1 };
  const tag = argon2Sync('argon2id', { message: password, nonce: salt, ...cost, tagLength: 32 });
  return { kind: 'argon2id', ...cost, salt, tag };
}

function identityOf(provider: string, user: BasicUserConfig, mapping: Mapping): Identity {
  const given = parseJson(Buffer.from(JSON.stringify(user.claims)), { duplicates: 'last' }) as ReadonlyMap<
    Value,
    Value
  >;
  const claims = new Map<Value, Value>(given);
  claims.set('sub', user.name);
  if (user.scopes.length > 0) claims.set('scope', user.scopes.join(' '));
  if (user.permissions.length > 0) claims.set('permissions', user.permissions);
  const mapped = mapping({ claims, response: null });
  return {
    ...mapped,
    provider,
    expiresAt: null,
    // A plain hash of a password would soon be guessed.
    tokenHash: null,
    tags: revocationTags(mapped, null),
    sequence: null,
    toService: [],
    toClient: [],
  };
}
