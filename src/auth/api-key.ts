import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ApiKeyConfig, ApiKeyProviderConfig } from '../config/model.ts';
import { parseJson, type Value } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import { isAddressed } from './bearer.ts';
import type { AMBIGUOUS, Challenge, Credential, Decision, Identity, Place, Provider } from './contract.ts';
import { compileMapping, type Mapping, revocationTags } from './mapping.ts';
import { placesOf, readPlaces } from './places.ts';

/** Before the key, where it stands in Authorization. */
const SCHEME = /^(?:apikey|bearer|key) +/i;

/** Keys by their hashes. Two of one subject may live at once, so that they can be changed without a gap. */
export class ApiKeyProvider implements Provider {
  readonly name: string;
  readonly kind = 'apiKey';
  readonly places: readonly Place[];
  readonly serviceHeaders: readonly string[] = [];
  readonly challenge: Challenge = { scheme: 'ApiKey', params: [['realm', 'tidegate']] };
  readonly crossSite: boolean;
  readonly discoverable = false;
  private readonly keys = new Map<string, Known>();
  /**
   * Keys are looked up by a keyed hash of their hash: how long that takes tells nothing about any of them.
   */
  private readonly blind = randomBytes(32);

  constructor(config: ApiKeyProviderConfig) {
    this.name = config.name;
    this.crossSite = config.crossSite;
    this.places = placesOf(config);
    const mapping = compileMapping(config);
    for (const key of config.keys) {
      const identity = identityOf(config.name, key, mapping);
      this.keys.set(this.blinded(key.hash), { hash: Buffer.from(key.hash, 'hex'), identity });
    }
  }

  recognises(exchange: Exchange): Credential | typeof AMBIGUOUS | null {
    return readPlaces(this.places, exchange);
  }

  isAddressed(exchange: Exchange): boolean {
    return isAddressed(this.places, exchange);
  }

  authenticate({ value, place }: Credential): Decision {
    const shown = place.name === 'authorization' ? value.replace(SCHEME, '') : value;
    const digest = hash('sha256', bytesOf(shown, place), 'hex');
    const known = this.keys.get(this.blinded(digest));
    if (known === undefined || !timingSafeEqual(known.hash, Buffer.from(digest, 'hex')))
      return { kind: 'refused', status: 401, why: 'no such key' };
    return { kind: 'allowed', identity: known.identity };
  }

  describe(): string {
    return `the key is compared with ${this.keys.size} known ones`;
  }

  close(): void {}

  private blinded(digest: string): string {
    return createHmac('sha256', this.blind).update(digest).digest('base64');
  }
}

/** Headers and cookies are bytes, one a character; a query has been decoded to text. */
function bytesOf(text: string, place: Place): Buffer {
  return Buffer.from(text, place.in === 'query' ? 'utf8' : 'latin1');
}

interface Known {
  readonly hash: Buffer;
  readonly identity: Identity;
}

function identityOf(provider: string, key: ApiKeyConfig, mapping: Mapping): Identity {
  const given = parseJson(Buffer.from(JSON.stringify(key.claims)), { duplicates: 'last' }) as ReadonlyMap<
    Value,
    Value
  >;
  const claims = new Map<Value, Value>(given);
  if (key.subject !== null) claims.set('sub', key.subject);
  if (key.scopes.length > 0) claims.set('scope', key.scopes.join(' '));
  if (key.permissions.length > 0) claims.set('permissions', key.permissions);
  const mapped = mapping({ claims, response: null });
  return {
    ...mapped,
    provider,
    expiresAt: null,
    tokenHash: key.hash,
    tags: revocationTags(mapped, key.hash),
    sequence: null,
    toService: [],
    toClient: [],
  };
}
