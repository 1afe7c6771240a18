import { cacheOutcome } from '../../http/cache-outcome.ts';
import type { Failure } from '../../http/errors.ts';
import {
  type Completion,
  type Exchange,
  type ExchangeTrace,
  endStatus,
  type Reply,
  type Served,
  type SpanContext,
  type StepTrace,
  type TrySpan,
} from '../../http/exchange.ts';
import { getHeaders, hasHeader } from '../../http/headers.ts';
import type { Clock } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import type { Exporter } from './exporter.ts';
import { type Attributes, askedAttributes, methodInName, sentAttributes } from './http-attributes.ts';

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

/** The span that another hangs below; `spanId` null: it is the first of its trace. */
interface Above {
  readonly traceId: string;
  readonly spanId: string | null;
}

/** Records requests as spans: one for the request, and below it its tries at services and its steps. */
export class Tracer implements Completion {
  private readonly settings: TracerSettings;

  constructor(settings: TracerSettings) {
    this.settings = settings;
  }

  /** Null: this one is not recorded. */
  begin(exchange: Exchange): ExchangeTrace | null {
    const { settings } = this;
    if (!hasHeader(exchange.headers, 'traceparent')) return this.beginNew();
    const parents = getHeaders(exchange.headers, 'traceparent');
    const parent = parents[0]!;
    if (parents.length > 1 || !settings.isTraceparent(parent)) return this.beginNew();
    const sampled = (Number.parseInt(parent.slice(53, 55), 16) & 1) === 1;
    if (!sampled) return null;
    const state = getHeaders(exchange.headers, 'tracestate').join(',') || null;
    return new RecordedTrace(settings, parent.slice(3, 35), parent.slice(36, 52), state);
  }

  private beginNew(): ExchangeTrace | null {
    const traceId = this.chosen();
    return traceId === null ? null : new RecordedTrace(this.settings, traceId, null, null);
  }

  /** A trace of what the gateway does by itself; null: this one is not recorded. */
  own(name: string, attributes: Attributes): StepTrace | null {
    const traceId = this.chosen();
    if (traceId === null) return null;
    const step = new RecordedStep(this.settings, { traceId, spanId: null }, null, name, () => {});
    for (const [attribute, value] of Object.entries(attributes)) step.set(attribute, value);
    return step;
  }

  /**
   * The id of a trace that begins here; null: it is not to be recorded. The id holds what it was chosen by, so that
   * others who choose by ids choose the same (OpenTelemetry, TraceIdRatioBased); most requests cost no id at all.
   */
  private chosen(): string | null {
    const { random, sample } = this.settings;
    const chance = random.number();
    if (chance >= sample) return null;
    const digits = Math.floor(chance * 2 ** 52).toString(16);
    return `${random.hex(8)}${digits.padStart(13, '0')}${random.hex(2).slice(1)}`;
  }

  completed(exchange: Exchange, answer: Reply | null, _bytes: number, failure: Failure | null): void {
    const { trace } = exchange;
    if (trace instanceof RecordedTrace) trace.completed(exchange, answer, failure);
  }
}

/** A span under way, and what hangs below it. */
abstract class Recorded implements ExchangeTrace {
  readonly context: SpanContext;
  protected readonly settings: TracerSettings;
  protected readonly state: string | null;

  constructor(settings: TracerSettings, traceId: string, state: string | null) {
    this.settings = settings;
    this.state = state;
    this.context = { traceId, spanId: settings.random.hex(8) };
  }

  try(served: Served, method: string, path: string): TrySpan {
    const { settings, state, context } = this;
    const spanId = settings.random.hex(8);
    const start = settings.clock.wall();
    const began = settings.clock.now();
    let over = false;
    return {
      traceparent: `00-${context.traceId}-${spanId}-01`,
      end: (status, failure) => {
        if (over) return;
        over = true;
        settings.exporter.add({
          traceId: context.traceId,
          spanId,
          parentId: context.spanId,
          state,
          name: methodInName(method),
          kind: 'client',
          start,
          end: start + settings.clock.now() - began,
          failed: failure !== null || (status ?? 0) >= 400,
          links: [],
          attributes: {
            ...sentAttributes(served.name, method, path, settings.secret),
            'http.response.status_code': status ?? undefined,
            'tidegate.service': served.service,
            'error.type': failure?.code ?? ((status ?? 0) >= 400 ? String(status) : undefined),
          },
        });
      },
    };
  }

  abstract step(name: string, lasting?: boolean): StepTrace;
}

class RecordedTrace extends Recorded {
  private readonly parentId: string | null;
  private readonly open = new Set<RecordedStep>();

  constructor(settings: TracerSettings, traceId: string, parentId: string | null, state: string | null) {
    super(settings, traceId, state);
    this.parentId = parentId;
  }

  step(name: string, lasting = false): StepTrace {
    const step = new RecordedStep(this.settings, this.context, this.state, name, () =>
      this.open.delete(step),
    );
    if (!lasting) this.open.add(step);
    return step;
  }

  completed(exchange: Exchange, answer: Reply | null, failure: Failure | null): void {
    // The client did not wait for them.
    for (const step of this.open) step.end();
    const { clock, exporter, secret } = this.settings;
    const end = clock.wall();
    const status = endStatus(answer, failure);
    const why = answer?.failure ?? exchange.replaced ?? failure;
    exporter.add({
      ...this.context,
      parentId: this.parentId,
      state: this.state,
      name: [methodInName(exchange.method), exchange.route?.name ?? ''].join(' ').trimEnd(),
      kind: 'server',
      start: end - (clock.now() - exchange.startedAt),
      end,
      failed: status >= 500 || failure !== null,
      links: [],
      attributes: {
        ...askedAttributes(exchange, secret),
        'http.response.status_code': answer === null ? undefined : status,
        'tidegate.route': exchange.route?.name,
        'tidegate.request.id': exchange.id,
        'tidegate.cache': cacheOutcome(exchange.cache) ?? undefined,
        'error.type': why?.code ?? (status >= 500 ? String(status) : undefined),
      },
    });
  }
}

class RecordedStep extends Recorded implements StepTrace {
  private readonly parent: Above;
  private readonly name: string;
  private readonly ended: () => void;
  private readonly start: number;
  private readonly began: number;
  private readonly attributes: Attributes = {};
  private readonly links: SpanContext[] = [];
  private over = false;

  constructor(
    settings: TracerSettings,
    parent: Above,
    state: string | null,
    name: string,
    ended: () => void,
  ) {
    super(settings, parent.traceId, state);
    this.parent = parent;
    this.name = name;
    this.ended = ended;
    this.start = settings.clock.wall();
    this.began = settings.clock.now();
  }

  step(name: string): StepTrace {
    return new RecordedStep(this.settings, this.context, this.state, name, () => {});
  }

  set(attribute: string, value: string | number | boolean | undefined): void {
    this.attributes[attribute] = value;
  }

  link(to: SpanContext): void {
    this.links.push(to);
  }

  end(failed = false): void {
    if (this.over) return;
    this.over = true;
    this.ended();
    this.settings.exporter.add({
      ...this.context,
      parentId: this.parent.spanId,
      state: this.state,
      name: this.name,
      kind: 'internal',
      start: this.start,
      end: this.start + this.settings.clock.now() - this.began,
      failed,
      links: this.links,
      attributes: this.attributes,
    });
  }
}
