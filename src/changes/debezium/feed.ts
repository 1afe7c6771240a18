import type { Value } from '../../expression/index.ts';
import type { SourceSink, Touched } from '../contract.ts';
import { parseLsn } from '../positions/lsn.ts';
import { DebeziumDecoder, type Decoded, type DecoderOptions, type Message } from './decode.ts';
import type { Provenance } from './provenance.ts';

export type FeedOptions = Omit<DecoderOptions, 'tables'>;

/** Where a batch stands in what carries it. */
export interface Place {
  /**
   * The position that is proven once it is applied: `database`, the one that its events tell; or `unproven`,
   * none beyond the last, as what comes beside it may be older.
   */
  readonly position: 'database' | 'unproven' | { readonly here: string };
}

/**
 * Turns Debezium's messages into invalidations: the same whatever carries them. Not for two calls at once: what
 * is waited for is what may be acknowledged.
 */
export class DebeziumFeed {
  private readonly sink: SourceSink;
  private readonly decoder: DebeziumDecoder;
  private position = '';
  /** Told by events, but not proven yet. */
  private told = '';
  /** The last that came of rows was a snapshot's. */
  private reading = false;
  /** It has read all rows anew: what it told before may be of another log. */
  private startedOver = false;

  constructor(sink: SourceSink, options: FeedOptions = {}) {
    this.sink = sink;
    this.decoder = new DebeziumDecoder({ ...options, tables: new Set(sink.mapping.tables.keys()) });
  }

  /** Resolves once all that these messages touch is fenced, durably and on every worker. */
  async apply(messages: readonly Message[], place: Place): Promise<void> {
    await this.applyDecoded(
      messages.map((message) => this.decoder.decode(message)),
      place,
    );
  }

  /** The same, of events that are parsed already. */
  async applyValues(events: readonly Value[], place: Place): Promise<void> {
    const whence = { key: null, topic: null };
    await this.applyDecoded(
      events.map((event) => this.decoder.decodeValue(event, whence)),
      place,
    );
  }

  private async applyDecoded(events: readonly Decoded[], place: Place): Promise<void> {
    const touched = this.sink.mapping.touched();
    let committedAt: number | null = null;
    for (const event of events) {
      touch(touched, event);
      if (this.startsOver(event)) {
        touched.spoil(null, null);
        this.startedOver = true;
      }
      if (event.kind === 'unreadable') continue;
      committedAt = event.from?.changedAt ?? committedAt;
      this.hear(event.from);
    }
    if (place.position === 'database') this.position = this.told;
    if (typeof place.position === 'object') this.position = place.position.here;
    if (touched.tags.size === 0 && touched.skipped === 0) {
      if (this.position !== '') this.sink.passed(this.position);
      if (events.some(({ kind }) => kind === 'nothing')) this.sink.current();
      return;
    }
    await this.sink.apply({ position: this.position, touched, committedAt });
  }

  /** Changes come as they were committed: what one tells of its own place may be behind what is proven already. */
  private hear(from: Provenance | null): void {
    if (from === null || from.position === null) return;
    if (from.unordered && !this.startedOver && isBehind(from.position, this.told)) return;
    this.told = from.position;
    this.startedOver = false;
  }

  /** A connector that reads all rows has lost its place in the log, or never had one: what it has missed is in no event. */
  private startsOver(event: Decoded): boolean {
    const was = this.reading;
    if (event.kind === 'nothing' && event.why === 'snapshot') this.reading = true;
    else if (event.kind === 'change') this.reading = false;
    return this.reading && !was;
  }
}

function isBehind(position: string, told: string): boolean {
  const [own, known] = [parseLsn(position), parseLsn(told)];
  return own !== null && known !== null && own < known;
}

function touch(touched: Touched, event: Decoded): void {
  switch (event.kind) {
    case 'change':
      return touched.add(event.change);
    case 'tables':
      for (const table of event.tables ?? [null]) touched.spoil(table, null);
      return;
    case 'unreadable':
      return touched.spoil(event.table, event.why);
    case 'nothing':
      return;
  }
}
