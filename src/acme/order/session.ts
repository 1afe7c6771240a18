import { createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, FlattenedSign, type JWK } from 'jose';
import type { Clock } from '../../util/clock.ts';
import type { WholeAnswer } from '../../util/whole-answer.ts';
import { AcmeError, type Authority } from '../contract.ts';
import { isObject, kindOf, readObject, refusal } from './problem.ts';
import { Transport, type TransportParts } from './transport.ts';

/** Where an authority is asked for what (RFC 8555 §7.1.1). */
interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  /** Null: it says nothing of when to renew (RFC 9773). */
  readonly renewalInfo: string | null;
  readonly terms: string | null;
  readonly needsBinding: boolean;
}

export interface SessionParts extends Omit<TransportParts, 'ca'> {
  readonly clock: Clock;
}

/** A nonce that the authority did not like is replaced by the one it gives, so many times (RFC 8555 §6.5). */
const MOST_NONCES = 5;

/** A conversation with an authority: each request is signed, and takes the nonce that the answer before it gave. */
export class Session {
  readonly directory: Directory;
  private readonly authority: Authority;
  private readonly transport: Transport;
  private readonly clock: Clock;
  private nonce: string | null = null;
  private key: KeyObject | null = null;
  private jwk: JWK = {};
  private account: string | null = null;

  /** Opens one; whoever does must close it. */
  static async open(authority: Authority, parts: SessionParts): Promise<Session> {
    const transport = new Transport({ ...parts, ca: authority.ca });
    try {
      return new Session(authority, await readDirectory(authority, transport, parts.clock), transport, parts);
    } catch (error) {
      transport.close();
      throw error;
    }
  }

  private constructor(
    authority: Authority,
    directory: Directory,
    transport: Transport,
    { clock }: SessionParts,
  ) {
    this.authority = authority;
    this.directory = directory;
    this.transport = transport;
    this.clock = clock;
  }

  close(): void {
    this.transport.close();
  }

  get wall(): number {
    return this.clock.wall();
  }

  /**
   * Begins to speak for the account of a key, which is made where there is none yet (RFC 8555 §7.3).
   *
   * @returns Was it made now?
   */
  async enter(key: KeyObject): Promise<boolean> {
    const { newAccount, needsBinding } = this.directory;
    const { email, eab } = this.authority;
    if (needsBinding && eab === null)
      throw new AcmeError('the authority takes no account of its own: say eab: { kid, key }');
    this.key = key;
    this.jwk = await exportJWK(createPublicKey(key));
    const answer = await this.post(newAccount, {
      termsOfServiceAgreed: true,
      contact: [`mailto:${email}`],
      ...(eab === null ? {} : { externalAccountBinding: await this.binding(eab) }),
    });
    const { location } = answer.headers;
    if (answer.status >= 300 || location === undefined)
      throw refusal('the authority refuses the account', answer, this.wall);
    this.account = location;
    return answer.status === 201;
  }

  /** What shows that the account is behind a token (RFC 8555 §8.1). */
  async authorizationOf(token: string): Promise<string> {
    return `${token}.${await calculateJwkThumbprint(this.jwk)}`;
  }

  /** @param payload Null: it is only to be read (POST-as-GET, RFC 8555 §6.3). */
  async post(url: string, payload: object | null): Promise<WholeAnswer> {
    for (let tries = 1; ; tries++) {
      const answer = await this.transport.ask('POST', url, await this.sign(url, payload, await this.fresh()));
      this.nonce = nonceOf(answer);
      if (tries === MOST_NONCES || !saysBadNonce(answer)) return answer;
    }
  }

  /** Posts, and reads the object that comes back. `what` begins the sentence where none does. */
  async object(
    what: string,
    url: string,
    payload: object | null,
  ): Promise<{ value: Record<string, unknown>; answer: WholeAnswer }> {
    const answer = await this.post(url, payload);
    const value = answer.status < 300 ? readObject(answer.text) : null;
    if (value === null) throw refusal(what, answer, this.wall);
    return { value, answer };
  }

  /** Unsigned: renewal information is for everybody. */
  get(url: string): Promise<WholeAnswer> {
    return this.transport.ask('GET', url);
  }

  private async fresh(): Promise<string> {
    const kept = this.nonce;
    this.nonce = null;
    if (kept !== null) return kept;
    const answer = await this.transport.ask('HEAD', this.directory.newNonce);
    const nonce = nonceOf(answer);
    if (nonce === null) throw refusal('the authority gives no nonce', answer, this.wall);
    return nonce;
  }

  private async sign(url: string, payload: object | null, nonce: string): Promise<string> {
    const who = this.account === null ? { jwk: this.jwk } : { kid: this.account };
    const bytes = new TextEncoder().encode(payload === null ? '' : JSON.stringify(payload));
    const signing = new FlattenedSign(bytes).setProtectedHeader({ alg: 'ES256', nonce, url, ...who });
    return JSON.stringify(await signing.sign(this.key!));
  }

  /** Signed by whoever runs the authority's own accounts (RFC 8555 §7.3.4). */
  private async binding({ kid, key }: NonNullable<Authority['eab']>): Promise<object> {
    const signing = new FlattenedSign(new TextEncoder().encode(JSON.stringify(this.jwk)));
    const header = { alg: 'HS256', kid, url: this.directory.newAccount };
    return await signing.setProtectedHeader(header).sign(Buffer.from(key, 'base64url'));
  }
}

async function readDirectory(
  { directory }: Authority,
  transport: Transport,
  clock: Clock,
): Promise<Directory> {
  const what = `${directory} gives no directory of an ACME authority`;
  const answer = await transport.ask('GET', directory);
  const found = answer.status === 200 ? readObject(answer.text) : null;
  if (found === null) throw refusal(what, answer, clock.wall());
  const meta = isObject(found.meta) ? found.meta : {};
  const { newNonce, newAccount, newOrder, renewalInfo } = found;
  if (![newNonce, newAccount, newOrder].every((url) => typeof url === 'string')) throw new AcmeError(what);
  return {
    newNonce: newNonce as string,
    newAccount: newAccount as string,
    newOrder: newOrder as string,
    renewalInfo: typeof renewalInfo === 'string' ? renewalInfo : null,
    terms: typeof meta.termsOfService === 'string' ? meta.termsOfService : null,
    needsBinding: meta.externalAccountRequired === true,
  };
}

function nonceOf({ headers }: WholeAnswer): string | null {
  const nonce = headers['replay-nonce'];
  return typeof nonce === 'string' && /^[A-Za-z0-9_-]+$/.test(nonce) ? nonce : null;
}

function saysBadNonce({ status, text }: WholeAnswer): boolean {
  return status === 400 && kindOf(readObject(text) ?? {}) === 'badNonce';
}
