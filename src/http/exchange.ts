import type { Body, BodySource } from './body.ts';
import type { Failure } from './errors.ts';
import type { Headers } from './headers.ts';

/** What a client's connection says of each request on it. A request without a socket brings its own. */
export interface Origin {
  /** Name of the listener it came in by. */
  readonly listener: string;
  readonly scheme: 'http' | 'https';
  /** The peer's address, as text, without a port; IPv4 in its own spelling, never `::ffff:…`. */
  readonly address: string;
  /** Port of the listener. */
  readonly port: number;
  /** What the client showed of itself in the TLS handshake, and the listener's `clientCa` vouches for. */
  readonly certificate?: ClientCertificate;
}

/** A client's certificate whose chain was verified. */
export interface ClientCertificate {
  /** Its common name; null where there is none, or several. */
  readonly name: string | null;
  /** Subject and issuer, `CN=…,O=…`, most specific first (RFC 4514). */
  readonly subject: string;
  readonly issuer: string;
  /** Alternative names by kind: `dns`, `uri`, `email`, `ip`. */
  readonly alternative: Readonly<Record<string, readonly string[]>>;
  /** SHA-256 of its DER bytes. */
  readonly fingerprint: Buffer;
  /** Milliseconds since 1970. */
  readonly validTo: number;
}

/** The one final answer to a request. */
export interface Reply {
  status: number;
  headers: Headers;
  body: Body;
  /** Only with status 101: the two ends of the tunnel toward the service. */
  tunnel: Tunnel | null;
  /** Why the gateway answered in a service's place; null for a service's own answer. */
  failure: Failure | null;
}

export function reply(status: number, headers: Headers, body: Body): Reply {
  return { status, headers, body, tunnel: null, failure: null };
}

/** What an exchange counts as, once it is over: 499 where the client left before any answer, 503 where the gateway ended it. */
export function endStatus(answer: Reply | null, failure: Failure | null): number {
  if (answer !== null) return answer.status;
  return failure === null || failure.entry.blame === 'client' ? 499 : failure.entry.status;
}

/** The service's end of a connection that became a byte tunnel, after an upgrade. */
export interface Tunnel {
  /** What the service sends. */
  readonly source: BodySource;
  /** Takes what the client sends, from now until its FIN. */
  take(client: BodySource): void;
}

/** Where the answers to an exchange go: a connection, or whoever made a request without one. */
export interface Responder {
  /** An interim answer (100, 103). */
  inform(exchange: Exchange, status: number, headers: Headers): void;
  /** The final answer; called once. */
  respond(exchange: Exchange, answer: Reply): void;
}

/** Told when an exchange is over for its client before the answer was complete. */
export interface Abortable {
  abort(failure: Failure): void;
}

/** What everyone may know of a compiled route. */
export interface RouteHandle {
  readonly name: string;
}

/** Holds something for the time of an exchange: a place in a service, a timer. */
export interface Owner {
  /** It is over; `failure` null: its answer went out whole. Called once. */
  over(failure: Failure | null): void;
}

export interface Completion {
  /** `failure` is null where the whole answer went out; `bytes` of content were written. */
  completed(exchange: Exchange, answer: Reply | null, bytes: number, failure: Failure | null): void;
}

/**
 * One request and the one response to it: the same object for HTTP/1.1, HTTP/2 and a request the gateway
 * makes by itself. The pipeline and the phases write their findings here; it lives as long as the exchange.
 */
export class Exchange {
  readonly origin: Origin;
  readonly responder: Responder;
  readonly method: string;
  /** The path and query exactly as the client sent them. */
  readonly target: string;
  /** `host[:port]` as the client sent it (absolute-form counts before Host, RFC 9112 §3.2.2). */
  readonly authority: string;
  /** 10, 11 or 20. */
  readonly version: number;
  readonly headers: Headers;
  body: Body;
  /** `clock.now()` at the first byte of the request. */
  readonly startedAt: number;

  /**
   * `clock.now()` from which time limits of a service count; later than `startedAt` where its body was read before anyone
   * was asked, or another one is asked in its place.
   */
  dispatchedAt: number;

  // Filled in by the phases.
  id = '';
  /** Normalised path, always with a leading slash; what is matched is what is forwarded. */
  path = '';
  /** Byte for byte as it came, without the `?`; null where there is no `?`. */
  query: string | null = null;
  /** `host[:port]` as the client used it: `authority`, unless a trusted proxy in between says another. */
  askedAuthority: string;
  /** Lower case, without port and final dot: what routes compare. */
  host = '';
  scheme: string;
  /** The client's address, believed from trusted proxies only. */
  ip: string;
  params: Params = NO_PARAMS;
  /** Where, in `path`, what the match's `/*` or `{name*}` stands for begins; -1 where it has none. */
  restAt = -1;
  /** What the client asks to switch to (its Upgrade, named by Connection), of that which may be; null: nothing. */
  upgrade: string | null = null;
  /** The client waits for 100 before it sends its content (RFC 9110 §10.1.1). */
  expectsContinue = false;
  /** The client takes trailers. */
  acceptsTrailers = false;
  /** The peer is one of the listener's trusted proxies. */
  trusted = false;
  /** The route that takes it; it stays the same whatever is reloaded meanwhile. */
  route: RouteHandle | null = null;
  /** Who asks, once a provider has found out (`Identity` of auth/); null: nobody in particular. */
  identity: object | null = null;
  /** What stood in the request to show who asks, and was taken off it (`Withheld` of auth/). */
  withheld: { readonly lines: Headers } | null = null;
  /** `target` with credentials in its query masked, where there are any. */
  shownTarget: string | null = null;
  /** The client's request on whose behalf the gateway makes it; null: it is a client's own. */
  madeFor: Exchange | null = null;
  /** What the answer is made of (`Told` of aggregate/), where the gateway makes the request by itself and an aggregate answers. */
  madeOf: object | null = null;
  /** It was refused on the way in, so no service may be asked for it after all. */
  refused = false;
  /** Whether it may have an answer is only known once that is there: interim answers would tell of it before. */
  undecided = false;
  /** The variables of its expressions, once something has asked for them. */
  variables: object | null = null;
  /** Set-Cookie lines of the gateway's own, added to whatever the answer is. */
  cookies: string[] | null = null;
  /** Further lines for whatever the answer is, from whoever found out who asks. */
  toClient: Headers | null = null;
  /** Who holds something for it, and must hear when it is over. */
  owner: Owner | null = null;
  /** Why another answer stands in the place of the first one, where the gateway itself made that: for the log. */
  replaced: Failure | null = null;
  /** Told once, when the last byte of the answer has been written or the exchange was given up. */
  completion: Completion | null = null;
  /** Bytes of its body that have come from the client. */
  received = 0;
  /** Null: it is not recorded. */
  trace: ExchangeTrace | null = null;
  /** What the cache made of it; null where none was asked. */
  cache: CacheFinding | null = null;
  /** Who was asked for it last; null: nobody, it was answered here. */
  served: Served | null = null;
  answered = false;
  /** `clock.now()` when its final answer was handed to the responder; -1 before. */
  answeredAt = -1;
  /** `clock.now()` when it was over, as all who are told of that count it; -1 before. */
  endedAt = -1;
  /** `clock.now()` when the phase that is timed began; -1: none is. */
  phaseBegan = -1;
  aborted: Failure | null = null;
  private abortable: Abortable | null = null;

  constructor(
    origin: Origin,
    responder: Responder,
    method: string,
    target: string,
    authority: string,
    version: number,
    headers: Headers,
    body: Body,
    startedAt: number,
  ) {
    this.origin = origin;
    this.responder = responder;
    this.method = method;
    this.target = target;
    this.authority = authority;
    this.askedAuthority = authority;
    this.version = version;
    this.headers = headers;
    this.body = body;
    this.startedAt = startedAt;
    this.dispatchedAt = startedAt;
    this.scheme = origin.scheme;
    this.ip = origin.address;
  }

  /** Takes over what the phases have found of another request, in whose place this one is made. */
  standFor(original: Exchange): void {
    this.id = original.id;
    this.path = original.path;
    this.query = original.query;
    this.askedAuthority = original.askedAuthority;
    this.host = original.host;
    this.scheme = original.scheme;
    this.ip = original.ip;
    this.params = original.params;
    this.restAt = original.restAt;
    this.trusted = original.trusted;
    this.identity = original.identity;
    this.withheld = original.withheld;
    this.madeFor = original.madeFor ?? original;
    this.trace = original.trace;
  }

  /** Adds a Set-Cookie line to the answer. */
  setCookie(line: string): void {
    this.cookies ??= [];
    this.cookies.push(line);
  }

  /** Whoever works on the exchange now, and must hear that the client has left. One at a time. */
  watch(abortable: Abortable | null): void {
    this.abortable = abortable;
    if (abortable !== null && this.aborted !== null) abortable.abort(this.aborted);
  }

  /** The client left, or the gateway gave it up. Called by the responder's side. */
  abort(failure: Failure): void {
    if (this.aborted !== null) return;
    this.aborted = failure;
    this.abortable?.abort(failure);
  }
}

/** What a cache found, as the gateway's member of Cache-Status tells it (RFC 9211 §2). */
export interface CacheFinding {
  readonly hit?: boolean;
  readonly fwd?: string;
  readonly fwdStatus?: number;
  readonly collapsed?: boolean;
  readonly stored?: boolean;
  readonly detail?: string;
}

/** A trace that an exchange is recorded in (W3C Trace Context). */
export interface ExchangeTrace {
  /** A try at a service, or a question to a server, begins. */
  try(served: Served, method: string, path: string): TrySpan;
  /**
   * Something within begins, and what is traced by it hangs below it.
   *
   * @param lasting It may go on once the request is over; else it is over with it at the latest.
   */
  step(name: string, lasting?: boolean): StepTrace;
}

export interface StepTrace extends ExchangeTrace {
  readonly context: SpanContext;
  set(attribute: string, value: string | number | boolean | undefined): void;
  /** It has to do with a span that may be of another trace. */
  link(to: SpanContext): void;
  /** Further calls count for nothing. */
  end(failed?: boolean): void;
}

/** What names a span wherever it is (W3C Trace Context). */
export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
}

export interface TrySpan {
  /** What the service is told. */
  readonly traceparent: string;
  /** Its head came, or it failed; further calls count for nothing. */
  end(status: number | null, failure: Failure | null): void;
}

/** The target of a service that a request was sent to. */
export interface Served {
  readonly service: string;
  /** Its address, for people, without credentials. */
  readonly name: string;
}

/** Path parameters, decoded once. */
export type Params = Readonly<Record<string, string>>;
export const NO_PARAMS: Params = Object.freeze(Object.create(null));
