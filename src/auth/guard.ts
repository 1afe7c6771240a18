import type { RouteAuthConfig } from '../config/model.ts';
import { Failure } from '../http/errors.ts';
import { type Exchange, type Reply, reply, type StepTrace } from '../http/exchange.ts';
import { type Headers, sameName } from '../http/headers.ts';
import { type Filter, problem } from '../pipeline/index.ts';
import { readBearer } from './bearer.ts';
import { certificateFlaw } from './binding.ts';
import { addChallenges, type TokenError } from './challenge.ts';
import {
  AMBIGUOUS,
  type Challenge,
  type Credential,
  type Decision,
  type Identity,
  type Place,
  type Provider,
  type RevocationFences,
} from './contract.ts';
import { type Possession, PROOF_ALGORITHMS, PROOF_HEADER } from './dpop/index.ts';
import { isSameOrigin } from './origin.ts';
import { credentialPlaces, linesOf, maskTarget, removeLike, stripPlaces } from './places.ts';
import { metadataUrl } from './resource-metadata.ts';
import type { Tally } from './tally.ts';

export interface GuardSettings {
  readonly providers: readonly Provider[];
  readonly optional: boolean;
  readonly passToken: boolean;
  readonly fences: RevocationFences;
  readonly possession: Possession;
  tallyOf(provider: string): Tally;
}

/** What a request showed before anything was taken off it: an aggregate's call to another route shows it there. */
export interface Withheld {
  /** The lines in which credentials stood, as they came. */
  readonly lines: Headers;
  /** As it came. */
  readonly query: string | null;
  /** Number of the newest invalidation that the decision has seen. */
  readonly sequence: number;
}

/** Finds out who asks: the first provider that recognises the credential decides, and its refusal stands. */
export class Guard implements Filter {
  readonly phase = 'authenticate';
  readonly providers: readonly Provider[];
  private readonly settings: GuardSettings;
  private readonly places: readonly Place[];
  /** What shows who asks. */
  private readonly shown: readonly Place[];
  private readonly queryPlaces: boolean;
  /** What only the gateway may say to services. */
  private readonly gatewayHeaders: readonly string[];

  constructor(settings: GuardSettings) {
    this.settings = settings;
    this.providers = settings.providers;
    this.places = settings.providers.flatMap((provider) => provider.places);
    this.shown = settings.providers.flatMap(credentialPlaces);
    this.queryPlaces = this.places.some((place) => place.in === 'query');
    this.gatewayHeaders = settings.providers.flatMap(({ serviceHeaders, askingHeaders = [] }) => [
      ...serviceHeaders,
      ...askingHeaders,
    ]);
  }

  run(exchange: Exchange): Reply | null | Promise<Reply | null> {
    if (this.queryPlaces) exchange.shownTarget = maskTarget(exchange.target, this.places);
    // RFC 9110 §11.6.2: a request has one; which of two a service would take nobody knows.
    if (standsTwice(exchange.headers)) return refuse(exchange, new Failure('TG_AUTH_AMBIGUOUS'));
    for (const provider of this.providers) {
      if (this.settings.optional && !provider.isAddressed(exchange)) continue;
      const credential = provider.recognises(exchange);
      if (credential === null) continue;
      if (credential === AMBIGUOUS) return refuse(exchange, new Failure('TG_AUTH_AMBIGUOUS'));
      if (credential.place.in === 'cookie' && !provider.crossSite && !isSameOrigin(exchange))
        return refuse(exchange, new Failure('TG_AUTH_ORIGIN'));
      const trace = exchange.trace?.step(`auth ${provider.name}`) ?? null;
      const decision = provider.authenticate(credential, exchange, this.places, trace);
      const follow = (decided: Decision) => {
        if (trace !== null) endDecision(trace, decided);
        return this.follow(exchange, decided, credential, provider);
      };
      return decision instanceof Promise ? decision.then(follow) : follow(decision);
    }
    return this.unrecognised(exchange);
  }

  private follow(
    exchange: Exchange,
    decision: Decision,
    credential: Credential,
    provider: Provider,
  ): Reply | null | Promise<Reply | null> {
    const tally = this.settings.tallyOf(provider.name);
    switch (decision.kind) {
      case 'allowed': {
        const { identity } = decision;
        const refusal = this.unproved(exchange, identity, credential);
        if (!(refusal instanceof Promise)) return this.settle(exchange, refusal, identity, credential, tally);
        return refusal.then((proved) => this.settle(exchange, proved, identity, credential, tally));
      }
      case 'refused':
        tally.refused++;
        if (decision.status === 403) return refuse(exchange, new Failure('TG_AUTH_FORBIDDEN', decision.why));
        if (credential.dpop) return refuseProof(exchange, decision.why, INVALID_TOKEN);
        return this.challenge(exchange, new Failure('TG_AUTH_INVALID', decision.why), errorOf(provider));
      case 'answer':
        tally.answered++;
        exchange.refused = true;
        return reply(decision.status, decision.headers.slice(), decision.body);
      case 'unavailable':
        tally[outcomeOf(decision)]++;
        return refuse(exchange, decision.failure);
    }
  }

  private settle(
    exchange: Exchange,
    refusal: Reply | null,
    identity: Identity,
    credential: Credential,
    tally: Tally,
  ): Reply | null {
    if (refusal !== null) tally.refused++;
    else tally.allowed++;
    return refusal ?? this.admit(exchange, identity, credential);
  }

  /** A token that is bound is worth nothing to whoever has it alone. Asked of kept decisions too. */
  private unproved(
    exchange: Exchange,
    { boundTo }: Identity,
    credential: Credential,
  ): Reply | null | Promise<Reply | null> {
    const key = boundTo?.key ?? null;
    if (key === null && credential.dpop)
      return refuseProof(exchange, 'the token is bound to no key, but shown as if it were', INVALID_TOKEN);
    if (boundTo == null) return null;
    const flaw = certificateFlaw(boundTo.certificate, exchange);
    if (flaw !== null) return this.challenge(exchange, new Failure('TG_AUTH_INVALID', flaw), INVALID_TOKEN);
    if (key === null) return null;
    // RFC 9449 §7.2: whoever shows it as if it were anybody's has it from somebody else.
    if (!credential.dpop)
      return refuseProof(exchange, 'the token is bound to a key, and shown without a proof', INVALID_TOKEN);
    const flawed = this.settings.possession.flaw(exchange, credential.value, key);
    const judge = (why: string | null) => (why === null ? null : refuseProof(exchange, why, INVALID_PROOF));
    return flawed instanceof Promise ? flawed.then(judge) : judge(flawed);
  }

  private admit(exchange: Exchange, identity: Identity, credential: Credential): null {
    exchange.identity = identity;
    const lines = linesOf(this.shown, exchange.headers);
    const { query } = exchange;
    this.clean(exchange);
    if (credential.dpop && !this.settings.passToken) removeLike(exchange.headers, PROOF_HEADER);
    const sequence = identity.sequence ?? this.settings.fences.sequence;
    const withheld: Withheld = { lines, query, sequence };
    exchange.withheld = withheld;
    if (identity.toService.length > 0) exchange.headers.push(...identity.toService);
    if (identity.toClient.length > 0)
      exchange.toClient =
        exchange.toClient === null ? identity.toClient : [...exchange.toClient, ...identity.toClient];
    return null;
  }

  /** Of a request that is only shown: nothing of it tells a credential. */
  conceal(exchange: Exchange): void {
    if (!this.settings.passToken) stripPlaces(this.places, exchange);
    else if (exchange.query !== null) exchange.query = maskTarget(`?${exchange.query}`, this.places).slice(1);
  }

  /** Nothing of what a client says of itself goes on. */
  private clean(exchange: Exchange): void {
    if (!this.settings.passToken) stripPlaces(this.places, exchange);
    for (const name of this.gatewayHeaders) removeLike(exchange.headers, name);
  }

  private unrecognised(exchange: Exchange): Reply | null {
    const shown = this.providers.filter((provider) => provider.isAddressed(exchange));
    if (shown.length > 0) {
      // RFC 6750 §3.1: who shows another scheme than a token's is told of no error of a token.
      const isToken = shown.some(({ places }) => readBearer(places, exchange) !== null);
      const failure = new Failure('TG_AUTH_INVALID', 'no provider takes it');
      return this.challenge(exchange, failure, isToken ? INVALID_TOKEN : null);
    }
    if (!this.settings.optional) return this.challenge(exchange, new Failure('TG_AUTH_MISSING'), null);
    this.clean(exchange);
    return null;
  }

  private challenge(exchange: Exchange, failure: Failure, error: TokenError | null): Reply {
    const answer = refuse(exchange, failure);
    const challenges = this.providers.map((provider) =>
      provider.discoverable ? withMetadata(provider.challenge, exchange) : provider.challenge,
    );
    addChallenges(answer.headers, challenges, error);
    return answer;
  }
}

/** RFC 6750 §3.1: the error is one of a token, where that was what was shown. */
function errorOf({ challenge }: Provider): TokenError | null {
  return challenge.scheme === 'Bearer' ? INVALID_TOKEN : null;
}

/** RFC 9728 §5.1. */
function withMetadata({ scheme, params }: Challenge, exchange: Exchange): Challenge {
  return { scheme, params: [...params, ['resource_metadata', metadataUrl(exchange)]] };
}

const INVALID_TOKEN: TokenError = { error: 'invalid_token' };
const INVALID_PROOF: TokenError = { error: 'invalid_dpop_proof' };
/** RFC 9449 §7.1. */
export const DPOP_CHALLENGE: Challenge = { scheme: 'DPoP', params: [['algs', PROOF_ALGORITHMS.join(' ')]] };

/** A token that is shown, or must be shown, with a proof that its client has the key. */
function refuseProof(exchange: Exchange, why: string, error: TokenError): Reply {
  const answer = refuse(exchange, new Failure('TG_AUTH_INVALID', why));
  addChallenges(answer.headers, [DPOP_CHALLENGE], error);
  return answer;
}

/** A refusal on the way in: what stands in its place must not reach a service either. */
export function refuse(exchange: Exchange, failure: Failure): Reply {
  exchange.refused = true;
  return problem(failure, exchange.id);
}

/** What came of a decision stands at its step. */
export function endDecision(trace: StepTrace, decision: Decision): void {
  const outcome = decision.kind === 'unavailable' ? outcomeOf(decision) : decision.kind;
  trace.set('tidegate.auth.outcome', outcome);
  trace.end(outcome === 'unavailable');
}

/** A request that gives no question to ask is refused: it says nothing of whoever would have been asked. */
function outcomeOf({ failure }: Extract<Decision, { kind: 'unavailable' }>): 'refused' | 'unavailable' {
  return failure.entry.blame === 'client' ? 'refused' : 'unavailable';
}

/** Of Authorization there is one, or none. */
export function standsTwice(headers: Headers): boolean {
  let found = false;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.length !== 13 || !sameName(headers[i]!, 'authorization')) continue;
    if (found) return true;
    found = true;
  }
  return false;
}

/** Can a provider authenticate requests of this route? */
export function isGuarded(config: RouteAuthConfig | null): boolean {
  return config !== null && config.providers.length > 0;
}
