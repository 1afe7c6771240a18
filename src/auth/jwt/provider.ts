import { hash, type KeyObject } from 'node:crypto';
import type { JwtConfig } from '../../config/model.ts';
import { Failure } from '../../http/errors.ts';
import type { Exchange } from '../../http/exchange.ts';
import { BEARER, isAddressed, readBearer, refused, tokenFlaw } from '../bearer.ts';
import { bindingOf } from '../binding.ts';
import {
  AMBIGUOUS,
  type Challenge,
  type Credential,
  type Decision,
  type Place,
  type Provider,
} from '../contract.ts';
import { asked, Decisions } from '../decisions.ts';
import { compileMapping, type Mapping, revocationTags } from '../mapping.ts';
import type { AuthParts } from '../parts.ts';
import { placesOf } from '../places.ts';
import { claimsFlaw, headerFlaw, timeOf } from './claims.ts';
import type { KeySet } from './key-set.ts';
import { type KeySource, keySourceOf } from './key-source.ts';
import { isSignature } from './signature.ts';
import { readToken, type Token } from './token.ts';

/** A token that was recognised: read, or known from before. */
interface JwtCredential extends Credential {
  readonly hash: string;
  readonly known: Decision | null;
  readonly token: Token | null;
}

/** Checks signed tokens by itself (RFC 7519, 8725, 9068). One that was found good is known by its hash until it ends. */
export class JwtProvider implements Provider {
  readonly name: string;
  readonly kind = 'jwt';
  readonly places: readonly Place[];
  readonly serviceHeaders: readonly string[] = [];
  readonly challenge: Challenge = BEARER;
  readonly crossSite: boolean;
  readonly discoverable: boolean;
  readonly issuer: string | null;
  private readonly config: JwtConfig;
  private readonly parts: AuthParts;
  private readonly mapping: Mapping;
  private readonly source: KeySource;
  private decisions: Decisions;

  constructor(config: JwtConfig, parts: AuthParts) {
    this.name = config.name;
    this.config = config;
    this.parts = parts;
    this.crossSite = config.crossSite;
    this.issuer = config.issuer;
    this.discoverable = config.keys.kind === 'discovery';
    this.places = placesOf(config);
    this.mapping = compileMapping(config);
    this.decisions = new Decisions(parts);
    // Tokens that a withdrawn key has signed are no longer good.
    this.source = keySourceOf(config, parts, () => {
      this.decisions = new Decisions(parts);
    });
  }

  /** Its own issuer's tokens, as they say unverified; any signed token where it knows no issuer. */
  recognises(exchange: Exchange): JwtCredential | typeof AMBIGUOUS | null {
    const found = readBearer(this.places, exchange);
    if (found === null || found === AMBIGUOUS) return found;
    const { value } = found;
    const digest = hash('sha256', value, 'hex');
    const known = this.decisions.kept(digest);
    const credential = { ...found, hash: digest };
    if (known !== null) return { ...credential, known, token: null };
    const token = tokenFlaw(value) === null ? readToken(value) : null;
    if (token === null) return null;
    if (this.issuer !== null && token.claims.get('iss') !== this.issuer) return null;
    return { ...credential, known: null, token };
  }

  isAddressed(exchange: Exchange): boolean {
    return isAddressed(this.places, exchange);
  }

  authenticate(credential: Credential): Decision | Promise<Decision> {
    const { known, token, hash: digest } = credential as JwtCredential;
    if (known !== null) {
      this.source.used();
      return known;
    }
    const flaw =
      headerFlaw(token!.header, this.config) ??
      claimsFlaw(token!.claims, this.config, this.parts.clock.wall());
    if (flaw !== null) return refused(flaw);
    if (this.source.keys !== null && this.isSigned(token!, this.source.keys)) {
      this.source.used();
      return this.accept(token!, digest);
    }
    return this.withRenewedKeys(token!, digest);
  }

  describe(): string {
    const { kind } = this.config.keys;
    if (kind === 'secret') return 'the signature is checked with a secret';
    const whose = kind === 'discovery' ? `of ${this.issuer}` : kind === 'url' ? 'of a JWK set' : 'of a file';
    return `the signature is checked with the keys ${whose}`;
  }

  close(): void {
    this.source.close();
  }

  private async withRenewedKeys(token: Token, digest: string): Promise<Decision> {
    const before = this.source.keys;
    if (before !== null && this.knows(token, before)) {
      this.source.doubted();
      return refused('its signature is not right');
    }
    const keys = await this.source.renewed();
    if (keys instanceof Failure) return { kind: 'unavailable', failure: keys };
    return this.isSigned(token, keys)
      ? this.accept(token, digest)
      : refused('no key that is known has signed it');
  }

  /** The key it names is there: then its signature is most likely wrong, and waits for no question. */
  private knows(token: Token, keys: KeySet): boolean {
    return token.header.has('kid') && this.candidates(token, keys).length > 0;
  }

  private isSigned(token: Token, keys: KeySet): boolean {
    const algorithm = token.header.get('alg') as string;
    return this.candidates(token, keys).some((key) =>
      isSignature(algorithm, key, token.signed, token.signature),
    );
  }

  private candidates({ header }: Token, keys: KeySet): readonly KeyObject[] {
    return keys.matching((header.get('kid') as string | undefined) ?? null, header.get('alg') as string);
  }

  private accept({ claims, signed }: Token, tokenHash: string): Decision {
    const { clock, fences } = this.parts;
    const { sequence } = fences;
    const mapped = this.mapping({ claims, response: null });
    const tags = revocationTags(mapped, tokenHash);
    const expiresAt = timeOf(claims.get('exp'))!;
    const decision: Decision = {
      kind: 'allowed',
      identity: {
        ...mapped,
        provider: this.name,
        expiresAt,
        tokenHash,
        tags,
        sequence,
        boundTo: bindingOf(claims),
        toService: [],
        toClient: [],
      },
    };
    const keep = expiresAt + this.config.skew - clock.wall();
    this.decisions.note(
      tokenHash,
      asked(decision, mapped.tags === null ? null : tags, keep, signed.length * 2),
      sequence,
    );
    return decision;
  }
}
