import type { ServiceConfig, UpstreamTlsConfig } from '../../config/model.ts';
import { Failure } from '../../http/errors.ts';
import type { ExchangeTrace } from '../../http/exchange.ts';
import { removeHeader } from '../../http/headers.ts';
import { type Logger, silentLogger } from '../../telemetry/index.ts';
import { type Resolver, type Service, Upstreams } from '../../upstream/index.ts';
import type { Clock } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import { type AnswerOfCall, EndpointCall, type RequestOfCall } from './endpoint-call.ts';

export interface EndpointParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly resolver: Resolver;
  /** Every endpoint that is open, or still has a question under way. */
  readonly endpoints: Set<Endpoint>;
}

/** How long a server that failed five times in a row within 10 s is left alone: it is asked again well within 5 s. */
const PAUSE = 2000;
const MAX_BODY = 1024 * 1024;

/** A server that is asked about credentials: pooled connections, bounds, a breaker, and one line of log when it fails. */
export class Endpoint {
  /** Scheme, host and port. */
  readonly origin: string;
  private readonly parts: EndpointParts;
  private readonly upstreams: Upstreams;
  private readonly service: Service;
  private readonly provider: string;
  private failing = false;
  private underWay = 0;
  private closed = false;

  constructor(provider: string, url: string, tls: UpstreamTlsConfig, parts: EndpointParts) {
    this.provider = provider;
    this.parts = parts;
    this.origin = new URL(url).origin;
    // It is told of here, once, and not by its breaker again.
    this.upstreams = new Upstreams({ ...parts, log: silentLogger, shareOf: 1 });
    const config = serviceOf(provider, new URL(url), tls);
    const { services, commit } = this.upstreams.compile([config]);
    commit();
    this.service = services.get(config.name)!;
    parts.endpoints.add(this);
  }

  /**
   * Asks once, and once more where a kept connection turned out to be closed.
   *
   * @param ms To the end of the answer.
   * @param trace Where it is recorded; null: nowhere.
   */
  async call(
    request: RequestOfCall,
    ms: number,
    trace: ExchangeTrace | null = null,
  ): Promise<AnswerOfCall | Failure> {
    const { clock } = this.parts;
    const span = trace?.try(
      { service: this.service.name, name: this.origin },
      request.method,
      request.target,
    );
    const asked = span == null ? request : traced(request, span.traceparent);
    this.underWay++;
    const answer = await new EndpointCall(this.service, asked, { ms, maxBody: MAX_BODY, clock }).run();
    this.underWay--;
    if (answer instanceof Failure) span?.end(null, answer);
    else span?.end(answer.status, null);
    this.forget();
    if (answer instanceof Failure) return this.failed(answer.cause || answer.entry.detail, answer.retryAfter);
    return answer;
  }

  /** What it said was no use, for a reason that speaks against it: told of once, until it is of use again. */
  failed(why: string, retryAfter?: number): Failure {
    if (!this.failing)
      this.parts.log.error('an auth server fails: requests that need it get 503', {
        provider: this.provider,
        server: this.origin,
        why,
      });
    this.failing = true;
    return new Failure('TG_AUTH_UNAVAILABLE', `${this.provider} (${this.origin}): ${why}`, retryAfter);
  }

  worked(): void {
    if (this.failing)
      this.parts.log.info('an auth server answers again', { provider: this.provider, server: this.origin });
    this.failing = false;
  }

  /** No config asks it any more: what is under way ends as it would. */
  close(): void {
    this.closed = true;
    this.upstreams.compile([]).commit();
    this.forget();
  }

  /** Ends what is under way, too. */
  destroy(): void {
    this.upstreams.destroy();
    this.close();
  }

  private forget(): void {
    if (this.closed && this.underWay === 0) this.parts.endpoints.delete(this);
  }
}

/** The server is told which span asks it. */
function traced(request: RequestOfCall, traceparent: string): RequestOfCall {
  const headers = request.headers.slice();
  removeHeader(headers, 'traceparent');
  headers.push('traceparent', traceparent);
  return { ...request, headers };
}

function serviceOf(provider: string, url: URL, tls: UpstreamTlsConfig): ServiceConfig {
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const unchanged = {
    headers: { set: {}, add: {}, default: {}, remove: [], only: null },
    query: { only: null },
  };
  return {
    name: `auth ${provider}`,
    targets: [{ scheme, host, port, path: '', weight: 1 }],
    discover: null,
    pipelining: 1,
    timeout: {},
    host: null,
    tls,
    pool: { connections: 100, idle: 4000 },
    balance: { kind: 'leastRequests' },
    // Its one target is never out for longer than the breaker says.
    health: { active: null, passive: null, panic: 1 },
    retries: {
      attempts: 0,
      on: { connectFailure: false, reset: false, timeout: false, statuses: [] },
      methods: [],
      budget: 0,
    },
    breaker: {
      maxRequests: 1024,
      maxPending: 4096,
      errorRate: null,
      errors: { count: 5, window: 10_000, inARow: true },
      openFor: PAUSE,
    },
    request: unchanged,
    response: unchanged,
    auth: null,
  };
}
