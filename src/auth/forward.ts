import { hash } from 'node:crypto';
import type { ForwardConfig } from '../config/model.ts';
import {
  compileExpression,
  compilePath,
  EvaluationFailure,
  JsonError,
  parseJson,
  ResponseFields,
  requestScope,
  toJson,
  type Value,
} from '../expression/index.ts';
import { Failure } from '../http/errors.ts';
import type { Exchange, StepTrace } from '../http/exchange.ts';
import { getHeader, type Headers, sameName } from '../http/headers.ts';
import { clientAuthority, failureOf } from '../pipeline/index.ts';
import { BEARER } from './bearer.ts';
import { type AnswerOfCall, Endpoint } from './call/index.ts';
import type { AMBIGUOUS, Challenge, Credential, Decision, Identity, Place, Provider } from './contract.ts';
import { type Asked, asked, Decisions, SOURCE } from './decisions.ts';
import { compileMapping, type Mapping, revocationTags } from './mapping.ts';
import type { AuthParts } from './parts.ts';
import { AUTHORIZATION, maskTarget, placesOf, readPlaces } from './places.ts';
import type { SharedDecisions } from './shared-decisions.ts';

/** Where nothing says where the credential stands, the server is asked about every request. */
const WHOLE_REQUEST: Credential = { value: '', place: AUTHORIZATION };

/**
 * Asks another service about each request, as nginx's auth_request and Traefik's ForwardAuth do: 2xx lets it
 * pass; 401, 403 and redirects (to a login page) go back to the client as they are; anything else is 503.
 */
export class ForwardProvider implements Provider {
  readonly name: string;
  readonly kind = 'forward';
  readonly places: readonly Place[];
  readonly serviceHeaders: readonly string[];
  readonly readHeaders: readonly string[];
  readonly askingHeaders = ASKING;
  readonly challenge: Challenge = BEARER;
  readonly crossSite: boolean;
  readonly discoverable = false;
  private readonly config: ForwardConfig;
  private readonly parts: AuthParts;
  private readonly mapping: Mapping;
  private readonly endpoint: Endpoint;
  private readonly decisions: Decisions;
  private readonly targetOf: (exchange: Exchange) => string | Failure;
  private readonly keyOf: (exchange: Exchange, target: string) => string | null;

  /** `shared`: decisions that nodes keep together; null: they don't. */
  constructor(config: ForwardConfig, parts: AuthParts, shared: SharedDecisions | null) {
    this.name = config.name;
    this.config = config;
    this.parts = parts;
    this.crossSite = config.crossSite;
    this.places = placesOf(config);
    this.readHeaders = config.requestHeaders.filter((name) => !OWN.has(name));
    this.serviceHeaders = config.responseHeaders;
    this.mapping = compileMapping(config);
    this.endpoint = new Endpoint(config.name, config.server, config.tls, parts);
    this.decisions = new Decisions(parts, { shared });
    this.targetOf = compileTarget(config, parts);
    this.keyOf = compileKey(config, parts);
  }

  recognises(exchange: Exchange): Credential | typeof AMBIGUOUS | null {
    return this.config.from === null ? WHOLE_REQUEST : readPlaces(this.places, exchange);
  }

  isAddressed(exchange: Exchange): boolean {
    if (this.config.from !== null) return readPlaces(this.places, exchange) !== null;
    return this.config.requestHeaders.some((name) => getHeader(exchange.headers, name) !== undefined);
  }

  authenticate(
    { value, place }: Credential,
    exchange: Exchange,
    places: readonly Place[],
    trace: StepTrace | null,
  ): Decision | Promise<Decision> {
    const target = this.targetOf(exchange);
    if (target instanceof Failure) return { kind: 'unavailable', failure: target };
    const key = this.keyOf(exchange, target);
    if (key !== null) {
      const kept = this.decisions.kept(key, trace);
      if (kept !== null) return kept;
    }
    const lines = this.lines(exchange, places);
    const shown = value === '' ? bearerOf(exchange.headers) : value;
    const tokenHash =
      shown === null
        ? null
        : hash('sha256', Buffer.from(shown, place.in === 'query' ? 'utf8' : 'latin1'), 'hex');
    const ask = () => this.ask(target, lines, tokenHash, trace);
    if (key !== null) return this.decisions.decide(key, ask, trace);
    trace?.set(SOURCE, 'asked');
    return ask().then(({ decision }) => decision);
  }

  describe(): string {
    return `${this.endpoint.origin} is asked about the request`;
  }

  close(): void {
    this.endpoint.close();
  }

  /** What the server is told: the client's own headers of these names never pass, nor any that isn't listed. */
  private lines(exchange: Exchange, places: readonly Place[]): Headers {
    const lines: Headers = [];
    for (const name of this.readHeaders) {
      for (let i = 0; i < exchange.headers.length; i += 2)
        if (sameName(exchange.headers[i]!, name)) lines.push(name, exchange.headers[i + 1]!);
    }
    const uri = exchange.query === null ? exchange.path : `${exchange.path}?${exchange.query}`;
    const others = places.filter((place) => !this.places.includes(place));
    lines.push('X-Forwarded-Method', exchange.method);
    lines.push('X-Forwarded-Proto', exchange.scheme);
    lines.push('X-Forwarded-Host', clientAuthority(exchange, exchange.trusted));
    lines.push('X-Forwarded-Uri', maskTarget(uri, others));
    lines.push('X-Forwarded-For', exchange.ip);
    lines.push('X-Original-Method', exchange.method);
    lines.push('X-Original-URI', maskTarget(uri, places));
    return lines;
  }

  private async ask(
    target: string,
    headers: Headers,
    tokenHash: string | null,
    trace: StepTrace | null,
  ): Promise<Asked> {
    const { sequence } = this.parts.fences;
    const answer = await this.endpoint.call(
      { method: 'GET', target, headers, body: null },
      this.config.timeout,
      trace,
    );
    if (answer instanceof Failure) return asked({ kind: 'unavailable', failure: answer });
    const { status } = answer;
    if (status >= 200 && status <= 299) return this.accept(answer, tokenHash, sequence);
    if (status === 401 || status === 403 || (status >= 300 && status <= 399))
      return this.refuse(answer, tokenHash);
    return asked({ kind: 'unavailable', failure: this.endpoint.failed(`it answers ${status}`) });
  }

  private accept(answer: AnswerOfCall, tokenHash: string | null, sequence: number): Asked {
    const { status, headers, body } = answer;
    const said = bodyOf(answer);
    const claims = said instanceof Map ? (said as ReadonlyMap<Value, Value>) : new Map<Value, Value>();
    const mapped = this.mapping({ claims, response: new ResponseFields(status, headers, said) });
    this.endpoint.worked();
    const tags = revocationTags(mapped, tokenHash);
    const identity: Identity = {
      ...mapped,
      provider: this.name,
      expiresAt: null,
      tokenHash,
      tags,
      sequence,
      toService: linesNamed(headers, this.config.responseHeaders),
      toClient: linesNamed(headers, this.config.clientHeaders),
    };
    const keep = this.config.cache.accept;
    const weight = headers.length * 50 + body.length;
    return asked({ kind: 'allowed', identity }, mapped.tags === null ? null : tags, keep, weight, keep > 0);
  }

  private refuse({ status, headers, body }: AnswerOfCall, tokenHash: string | null): Asked {
    this.endpoint.worked();
    const keep = status === 403 ? this.config.cache.refuse : 0;
    const tags = tokenHash === null ? [] : [`token:${tokenHash}`];
    const weight = headers.length * 50 + body.length;
    return asked({ kind: 'answer', status, headers, body }, tags, keep, weight, keep > 0);
  }
}

/** But for what services get from the gateway as well. */
const ASKING = ['x-forwarded-method', 'x-forwarded-uri', 'x-original-method', 'x-original-uri'] as const;

/** Made by the gateway, or of the one connection: never taken from the client. */
const OWN: ReadonlySet<string> = new Set([
  ...ASKING,
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-for',
  'host',
  'connection',
  'keep-alive',
  'content-length',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
]);

/** Path and query of the question. A request of which they can't be made is not asked about, and does not pass. */
function compileTarget({ path }: ForwardConfig, parts: AuthParts): (exchange: Exchange) => string | Failure {
  if (!path.includes('{')) return () => path;
  const template = compilePath(path, requestScope);
  return (exchange) => {
    try {
      const { path, query } = template.render(parts.variables(exchange).strict());
      return query === null ? path : `${path}?${query}`;
    } catch (error) {
      return failureOf(error, 'TG_AUTH_UNAVAILABLE');
    }
  };
}

/** Null: this request's decision is its own. */
function compileKey(
  config: ForwardConfig,
  parts: AuthParts,
): (exchange: Exchange, target: string) => string | null {
  const { accept, refuse, key } = config.cache;
  // What goes back to one client is no other's.
  if ((accept === 0 && refuse === 0) || config.clientHeaders.length > 0) return () => null;
  if (key === null) return (exchange, target) => digest(usualKey(exchange, target, config.requestHeaders));
  const program = compileExpression(key, requestScope);
  return (exchange, target) => {
    try {
      // A part of what was asked, where the URL is filled in.
      return digest(`${target} ${toJson(program.evaluate(parts.variables(exchange).strict()))}`);
    } catch (error) {
      if (error instanceof EvaluationFailure) return null;
      throw error;
    }
  };
}

function usualKey(exchange: Exchange, target: string, names: readonly string[]): string {
  const { method, scheme, path, query, ip } = exchange;
  const host = clientAuthority(exchange, exchange.trusted);
  const lines = linesNamed(exchange.headers, names);
  return JSON.stringify([target, method, scheme, host, path, query, ip, lines]);
}

const digest = (text: string): string => hash('sha256', text, 'hex');

function linesNamed(headers: Headers, names: readonly string[]): Headers {
  const lines: Headers = [];
  for (const name of names)
    for (let i = 0; i < headers.length; i += 2)
      if (sameName(headers[i]!, name)) lines.push(name, headers[i + 1]!);
  return lines;
}

function bearerOf(headers: Headers): string | null {
  return /^bearer +(\S+)$/i.exec(getHeader(headers, 'authorization') ?? '')?.[1] ?? null;
}

/** The JSON of an answer, where it is any. */
function bodyOf({ headers, body }: AnswerOfCall): Value | undefined {
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(getHeader(headers, 'content-type') ?? '')) return undefined;
  try {
    return parseJson(body, { duplicates: 'reject' });
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
