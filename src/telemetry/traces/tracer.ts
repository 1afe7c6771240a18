import { cacheOutcome } from '../../http/cache-outcome.ts';
import type { Failure } from '../../http/errors.ts';
import type { Completion, Exchange, ExchangeTrace, Reply, Served, TrySpan } from '../../http/exchange.ts';
import { getHeader, getHeaders } from '../../http/headers.ts';
import type { Clock } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import { shownTarget } from '../access/shown-target.ts';
import type { Exporter } from './exporter.ts';
import type { Span } from './span.ts';

export interface TracerSettings {
  /** The share of traces that begin here and are recorded; those that come with a parent go by it. */
  readonly sample: number;
  readonly secret: ReadonlySet<string>;
  readonly exporter: Exporter;
  readonly clock: Clock;
  readonly random: Random;
  /** Is this a traceparent that may be carried on? */
  isTraceparent(text: string): boolean;
}

/** Records requests as spans: one for the request, one for each try at a service. */
export class Tracer implements Completion {
  private readonly settings: TracerSettings;

  constructor(settings: TracerSettings) {
    this.settings = settings;
  }

  /** Null: this one is not recorded. */
  begin(exchange: Exchange): ExchangeTrace | null {
    const { settings } = this;
    const parents = getHeaders(exchange.headers, 'traceparent');
    const parent = parents.length === 1 && settings.isTraceparent(parents[0]!) ? parents[0]! : null;
    const traceId = parent === null ? settings.random.hex(16) : parent.slice(3, 35);
    const sampled =
      parent === null
        ? chosen(traceId, settings.sample)
        : (Number.parseInt(parent.slice(53, 55), 16) & 1) === 1;
    if (!sampled) return null;
    const state = parent === null ? null : getHeaders(exchange.headers, 'tracestate').join(',') || null;
    return new RecordedTrace(settings, traceId, parent?.slice(36, 52) ?? null, state);
  }

  completed(exchange: Exchange, answer: Reply | null, _bytes: number, failure: Failure | null): void {
    const { trace } = exchange;
    if (trace instanceof RecordedTrace) trace.completed(exchange, answer, failure);
  }
}

/** The same traces are chosen at every node (OpenTelemetry, TraceIdRatioBased). */
function chosen(traceId: string, share: number): boolean {
  return share >= 1 || Number.parseInt(traceId.slice(16, 29), 16) / 2 ** 52 < share;
}

class RecordedTrace implements ExchangeTrace {
  private readonly settings: TracerSettings;
  private readonly traceId: string;
  private readonly parentId: string | null;
  private readonly state: string | null;
  private readonly spanId: string;

  constructor(settings: TracerSettings, traceId: string, parentId: string | null, state: string | null) {
    this.settings = settings;
    this.traceId = traceId;
    this.parentId = parentId;
    this.state = state;
    this.spanId = settings.random.hex(8);
  }

  try(served: Served, method: string, path: string): TrySpan {
    const { settings, traceId, state, spanId: parentId } = this;
    const spanId = settings.random.hex(8);
    const start = settings.clock.wall();
    const began = settings.clock.now();
    let over = false;
    return {
      traceparent: `00-${traceId}-${spanId}-01`,
      end: (status, failure) => {
        if (over) return;
        over = true;
        const end = start + settings.clock.now() - began;
        const { hostname, port } = addressOf(served.name);
        settings.exporter.add({
          traceId,
          spanId,
          parentId,
          state,
          name: method,
          kind: 'client',
          start,
          end,
          failed: failure !== null || (status ?? 0) >= 400,
          attributes: {
            'http.request.method': method,
            'http.response.status_code': status ?? undefined,
            'server.address': hostname,
            'server.port': port,
            'url.path': path.split('?', 1)[0],
            'tidegate.service': served.service,
            'error.type': failure?.code ?? ((status ?? 0) >= 400 ? String(status) : undefined),
          },
        });
      },
    };
  }

  completed(exchange: Exchange, answer: Reply | null, failure: Failure | null): void {
    const { clock, exporter, secret } = this.settings;
    const end = clock.wall();
    const status = answer?.status ?? 499;
    const why = answer?.failure ?? exchange.replaced ?? failure;
    const [path, query] = shownTarget(exchange.target, secret).split('?', 2) as [string, string?];
    const span: Span = {
      traceId: this.traceId,
      spanId: this.spanId,
      parentId: this.parentId,
      state: this.state,
      name: exchange.route === null ? exchange.method : `${exchange.method} ${exchange.route.name}`,
      kind: 'server',
      start: end - (clock.now() - exchange.startedAt),
      end,
      failed: status >= 500 || failure !== null,
      attributes: {
        'http.request.method': exchange.method,
        'http.response.status_code': answer === null ? undefined : status,
        'url.scheme': exchange.scheme,
        'url.path': path,
        'url.query': query,
        'server.address': exchange.host,
        'client.address': exchange.ip,
        'network.protocol.version': exchange.version === 10 ? '1.0' : exchange.version === 11 ? '1.1' : '2',
        'user_agent.original': getHeader(exchange.headers, 'user-agent'),
        'tidegate.route': exchange.route?.name,
        'tidegate.request.id': exchange.id,
        'tidegate.cache': cacheOutcome(exchange.cache) ?? undefined,
        'error.type': why?.code ?? (status >= 500 ? String(status) : undefined),
      },
    };
    exporter.add(span);
  }
}

function addressOf(target: string): { hostname: string; port: number | undefined } {
  if (!URL.canParse(target)) return { hostname: target, port: undefined };
  const { hostname, port, protocol } = new URL(target);
  return { hostname, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
}
