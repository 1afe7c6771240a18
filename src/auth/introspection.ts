import { hash } from 'node:crypto';
import type { IntrospectionConfig } from '../config/model.ts';
import { ResponseFields, type Value } from '../expression/index.ts';
import { Failure } from '../http/errors.ts';
import type { Exchange, StepTrace } from '../http/exchange.ts';
import { BEARER, isAddressed, readBearer, refused, tokenFlaw } from './bearer.ts';
import { bindingFlaw, bindingOf } from './binding.ts';
import { Endpoint } from './call/index.ts';
import type { AMBIGUOUS, Challenge, Credential, Decision, Identity, Place, Provider } from './contract.ts';
import { type Asked, asked, Decisions } from './decisions.ts';
import { type Answered, IntrospectionProtocol } from './introspection-protocol.ts';
import { compileMapping, type Mapping, revocationTags } from './mapping.ts';
import type { AuthParts } from './parts.ts';
import { placesOf } from './places.ts';
import type { SharedDecisions } from './shared-decisions.ts';

/** A refused token is asked about again after this, in ms, at the latest. */
const REFUSED = 5000;

/** Asks the auth server about each token (RFC 7662). */
export class IntrospectionProvider implements Provider {
  readonly name: string;
  readonly kind = 'introspection';
  readonly places: readonly Place[];
  readonly serviceHeaders: readonly string[] = [];
  readonly challenge: Challenge = BEARER;
  readonly crossSite: boolean;
  readonly discoverable = false;
  private readonly config: IntrospectionConfig;
  private readonly parts: AuthParts;
  private readonly mapping: Mapping;
  private readonly endpoint: Endpoint;
  private readonly protocol: IntrospectionProtocol;
  private readonly decisions: Decisions;

  /** `shared`: decisions that nodes keep together; null: they don't. */
  constructor(config: IntrospectionConfig, parts: AuthParts, shared: SharedDecisions | null) {
    this.name = config.name;
    this.config = config;
    this.parts = parts;
    this.crossSite = config.crossSite;
    this.places = placesOf(config);
    this.mapping = compileMapping(config);
    this.endpoint = new Endpoint(config.name, config.endpoint, config.tls, parts);
    this.protocol = new IntrospectionProtocol(config, this.endpoint);
    this.decisions = new Decisions(parts, { shared });
  }

  recognises(exchange: Exchange): Credential | typeof AMBIGUOUS | null {
    return readBearer(this.places, exchange);
  }

  isAddressed(exchange: Exchange): boolean {
    return isAddressed(this.places, exchange);
  }

  authenticate(
    { value }: Credential,
    _exchange: Exchange,
    _places: readonly Place[],
    trace: StepTrace | null,
  ): Decision | Promise<Decision> {
    const flaw = tokenFlaw(value);
    if (flaw !== null) return refused(flaw);
    const tokenHash = hash('sha256', value, 'hex');
    return (
      this.decisions.kept(tokenHash, trace) ??
      this.decisions.decide(tokenHash, () => this.ask(value, tokenHash, trace), trace)
    );
  }

  describe(): string {
    return `${this.endpoint.origin} is asked about the token`;
  }

  close(): void {
    this.endpoint.close();
  }

  private async ask(token: string, tokenHash: string, trace: StepTrace | null): Promise<Asked> {
    const { sequence } = this.parts.fences;
    const answered = await this.protocol.ask(token, trace);
    if (answered instanceof Failure) return asked({ kind: 'unavailable', failure: answered });
    return this.judge(answered, tokenHash, sequence);
  }

  private judge(answered: Answered, tokenHash: string, sequence: number): Asked {
    const { claims } = answered;
    const { cache } = this.config;
    const no = (why: string): Asked =>
      asked(refused(why), [`token:${tokenHash}`], Math.min(cache, REFUSED), answered.weight);
    if (claims.get('active') !== true) return no('the auth server says that the token is not active');
    const left =
      answered.expiresAt === null ? Number.POSITIVE_INFINITY : answered.expiresAt - this.parts.clock.wall();
    if (left <= 0) return no('the token ran out');
    const bound = bindingFlaw(claims);
    if (bound !== null) return no(bound);
    const { identity, tags } = this.identity(answered, tokenHash, sequence);
    const keep = Math.min(cache, left);
    const keepStale =
      this.config.staleIfError === 0 ? keep : Math.min(cache + this.config.staleIfError, left);
    return { ...asked({ kind: 'allowed', identity }, tags, keep, answered.weight), keepStale };
  }

  private identity(
    answered: Answered,
    tokenHash: string,
    sequence: number,
  ): { identity: Identity; tags: readonly string[] | null } {
    const { status, headers, claims } = answered;
    const response = new ResponseFields(status, headers, claims as Value);
    const mapped = this.mapping({ claims, response });
    const tags = revocationTags(mapped, tokenHash);
    const identity: Identity = {
      ...mapped,
      provider: this.name,
      expiresAt: answered.expiresAt,
      tokenHash,
      tags,
      sequence,
      boundTo: bindingOf(answered.claims),
      toService: [],
      toClient: [],
    };
    return { identity, tags: mapped.tags === null ? null : tags };
  }
}
