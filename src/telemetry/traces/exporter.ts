import type { Clock, Timer } from '../../util/clock.ts';
import { ownText } from '../../util/own-text.ts';
import { maskUrl } from '../../util/secret-looks.ts';
import type { Logger } from '../log.ts';
import { Collector } from './collector.ts';
import { encodeSpan, exportRequest, type Span } from './span.ts';

/** Spans that wait; further ones are dropped and counted. */
const MOST_WAITING = 2048;
const BATCH = 512;
/** Between the first span that waits and its batch; between a failure and the next try, doubling; ms. */
const SOON = 1_000;
const LONGEST_PAUSE = 30_000;
/** A collector may ask for so long a pause; ms. */
const LONGEST_ASKED = 300_000;
const DEADLINE = 10_000;

export interface ExporterParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
}

export interface ExporterConfig {
  /** Where traces are posted to. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
}

/** Posts spans to a collector, by OTLP over HTTP. One that is away costs a batch now and then, never a request. */
export class Exporter {
  private readonly config: ExporterConfig;
  private readonly parts: ExporterParts;
  private readonly collector: Collector;
  private readonly shownUrl: string;
  /** In JSON. */
  private waiting: string[] = [];
  private dropped = 0;
  private timer: Timer | null = null;
  private sending: Promise<void> | null = null;
  private failures = 0;
  private closed = false;

  constructor(config: ExporterConfig, parts: ExporterParts) {
    this.config = config;
    this.parts = parts;
    this.collector = new Collector(config.url, config.headers);
    this.shownUrl = maskUrl(config.url);
  }

  add(span: Span): void {
    if (this.closed) return;
    if (this.waiting.length >= MOST_WAITING) {
      this.dropped++;
      return;
    }
    // It is composed of pieces of the request's head, which would wait with it.
    this.waiting.push(ownText(encodeSpan(span)));
    if (this.sending !== null) return;
    if (this.waiting.length >= BATCH && this.failures === 0) this.send();
    else this.timer ??= this.parts.clock.after(SOON, () => this.send());
  }

  /** Sends what waits, once; for as long as that may take. */
  async close(ms = 2_000): Promise<void> {
    this.closed = true;
    await this.sending;
    if (this.waiting.length > 0) {
      this.send(ms);
      await this.sending;
    }
    this.stopTimer();
    this.collector.close();
  }

  private send(deadline = DEADLINE): void {
    this.stopTimer();
    if (this.sending !== null || this.waiting.length === 0) return;
    const batch = this.waiting.splice(0, BATCH);
    this.sending = this.post(batch, deadline).then((pause) => {
      this.sending = null;
      if (pause !== null) this.putBack(batch);
      if (this.waiting.length > 0 && !this.closed)
        this.timer = this.parts.clock.after(pause ?? (this.waiting.length >= BATCH ? 0 : SOON), () =>
          this.send(),
        );
    });
  }

  /** The newest are dropped, as they are where they find no room. */
  private putBack(batch: readonly string[]): void {
    const all = [...batch, ...this.waiting];
    this.waiting = all.slice(0, MOST_WAITING);
    this.dropped += all.length - this.waiting.length;
  }

  /** How long to wait before the same is tried again; null: it is there, or never will be. */
  private async post(batch: readonly string[], deadline: number): Promise<number | null> {
    const { serviceName } = this.config;
    try {
      const body = Buffer.from(exportRequest(serviceName, this.parts.version, batch));
      const { status, text, retryAfter } = await this.collector.post(body, deadline);
      if (status >= 200 && status < 300) return this.arrived(text);
      const why = `it answers ${status}${HINTS[status] ?? ''}${saidOf(text)}`;
      // OTLP/HTTP, Failures: only these say that another try makes sense.
      if (![429, 502, 503, 504].includes(status)) return this.refused(why, batch.length);
      return this.failed(why, this.askedPause(retryAfter));
    } catch (error) {
      return this.failed((error as Error).message, 0);
    }
  }

  private arrived(said: string): null {
    const partly = partialSuccess(said);
    if (partly !== null) return this.refused(partly.why, partly.spans);
    if (this.failures > 0)
      this.parts.log.info('traces are taken again', { url: this.shownUrl, dropped: this.dropped });
    this.failures = 0;
    this.dropped = 0;
    return null;
  }

  private refused(why: string, spans: number): null {
    if (this.failures++ === 0) this.parts.log.warn('traces are refused', { url: this.shownUrl, why, spans });
    return null;
  }

  private failed(why: string, wanted: number): number {
    if (this.failures++ === 0)
      this.parts.log.warn('traces can not be sent; what waits is bounded', { url: this.shownUrl, why });
    const pause = Math.min(LONGEST_PAUSE, SOON * 2 ** Math.min(this.failures, 5));
    return Math.max(pause, Math.min(LONGEST_ASKED, wanted));
  }

  /** What a Retry-After says (RFC 9110 §10.2.3), ms; 0: nothing. */
  private askedPause(said: string | null): number {
    if (said === null) return 0;
    if (/^\d+$/.test(said)) return Number(said) * 1000;
    return Math.max(0, Date.parse(said) - this.parts.clock.wall()) || 0;
  }

  private stopTimer(): void {
    if (this.timer !== null) this.parts.clock.cancel(this.timer);
    this.timer = null;
  }
}

/** What statuses mean that collectors give to those who are set up wrong. */
const HINTS: Readonly<Record<number, string>> = {
  400: ': what it was sent is not what it expects at this path',
  401: ': it does not know who sends them; see `headers` of `tracing`',
  403: ': who sends them may not; see `headers` of `tracing`',
  404: ': nothing takes traces at this path, which is mostly /v1/traces',
  405: ': nothing takes traces at this path, which is mostly /v1/traces',
  415: ': it takes no OTLP in JSON, only in another form; a collector of OpenTelemetry in between takes both',
};
/** A refusal says why in a google.rpc.Status (OTLP/HTTP, Failures), or in plain words. */
function saidOf(text: string): string {
  const { message } = objectOf(text);
  const said = typeof message === 'string' ? message : /^[\x20-\x7e]{1,200}$/.test(text) ? text : '';
  return said === '' || said === '{}' ? '' : ` (${said.slice(0, 200)})`;
}

/** OTLP/HTTP, Partial Success: it took the request, but not all of its spans. */
function partialSuccess(text: string): { why: string; spans: number } | null {
  const { partialSuccess: partly } = objectOf(text) as {
    partialSuccess?: { rejectedSpans?: unknown; errorMessage?: unknown };
  };
  const spans = Number(partly?.rejectedSpans ?? 0);
  return spans > 0
    ? { why: `it takes only a part${saidOf(String(partly?.errorMessage ?? ''))}`, spans }
    : null;
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
