import type { Failure } from '../../http/errors.ts';
import type { Completion, Exchange, Reply } from '../../http/exchange.ts';
import type { Clock } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import type { LineBytes } from '../line-bytes.ts';
import type { LineWriter } from '../line-writer.ts';
import type { AccessRecord } from './record.ts';
import { shownTarget } from './shown-target.ts';

export interface AccessLogSettings {
  /** Writes the line of a request, its end of line included. */
  line(record: AccessRecord, line: LineBytes): void;
  /** Is a request logged at all? Null: each is. */
  readonly when: ((record: AccessRecord) => boolean) | null;
  /** The share of requests that are logged; 1: all. */
  readonly sample: number;
  /** Query parameters that hold credentials. */
  readonly secret: ReadonlySet<string>;
  readonly writer: LineWriter;
  readonly clock: Clock;
  readonly random: Random;
}

/** One line for each request of a client that is over. */
export class AccessLog implements Completion {
  private readonly settings: AccessLogSettings;

  constructor(settings: AccessLogSettings) {
    this.settings = settings;
  }

  completed(exchange: Exchange, answer: Reply | null, bytes: number, failure: Failure | null): void {
    const { sample, random, clock, when, secret } = this.settings;
    if (sample < 1 && random.number() >= sample) return;
    const record: AccessRecord = {
      exchange,
      answer,
      bytes,
      failure,
      wall: clock.wallAt(exchange.endedAt),
      duration: exchange.endedAt - exchange.startedAt,
      target: isRead(exchange) ? shownTarget(exchange.target, secret) : null,
      secret,
    };
    if (when === null || when(record)) this.settings.writer.compose(record, this.settings.line);
  }
}

/** Where no request could be read, an exchange stands in its place that names the root of no host, and no path was ever found. */
function isRead({ path, target, authority }: Exchange): boolean {
  return path !== '' || target !== '/' || authority !== '';
}
