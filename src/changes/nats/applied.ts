import type { ConsumerInfo, StreamInfo } from '@nats-io/jetstream';
import type { SourceMemory } from '../contract.ts';

/**
 * How far all that was delivered is known to be applied, by whichever reader. The server keeps no trace of a
 * message that it delivered and then dropped by a limit: where one behind this place is gone, it may have been
 * delivered to a reader that died with it.
 */
export class Applied {
  private readonly key: string;
  private readonly memory: SourceMemory;
  /** A number in the stream. */
  private upTo = 0;
  /** Of the stream and the durable, whose numbers begin anew when either is made anew. */
  private life: string | null = null;
  private remembered = '';

  constructor(source: string, memory: SourceMemory) {
    this.key = `nats:${source}:applied`;
    this.memory = memory;
  }

  get place(): number {
    return this.upTo;
  }

  to(place: number): void {
    this.upTo = Math.max(this.upTo, place);
  }

  /** The durable was made just now. */
  begin(stream: StreamInfo, consumer: ConsumerInfo): void {
    this.life = lifeOf(stream, consumer);
    this.upTo = 0;
  }

  /** False: the stream or the durable is not the one that was read before, by this reader or another. */
  async goesOn(stream: StreamInfo, consumer: ConsumerInfo): Promise<boolean> {
    if (this.life === null) await this.recall();
    if (this.life === lifeOf(stream, consumer)) return true;
    const unknown = this.life === null;
    this.begin(stream, consumer);
    return unknown;
  }

  /** Something was delivered, is gone, and may not have been applied. */
  misses({ state }: StreamInfo, { delivered }: ConsumerInfo): boolean {
    if (delivered.stream_seq <= this.upTo) return false;
    return state.first_seq > this.upTo + 1 || (state.num_deleted ?? 0) > 0;
  }

  /** For the next reader. What is applied before it is called again may look like a gap to it, and is none. */
  async remember(): Promise<void> {
    const text = `${this.upTo} ${this.life}`;
    if (this.life === null || text === this.remembered) return;
    await this.memory.write(this.key, text);
    this.remembered = text;
  }

  private async recall(): Promise<void> {
    const text = await this.memory.read(this.key);
    if (text === null) return;
    const [upTo, ...life] = text.split(' ');
    this.upTo = Number(upTo);
    this.life = life.join(' ');
  }
}

function lifeOf(stream: StreamInfo, consumer: ConsumerInfo): string {
  return `${stream.created} ${consumer.created}`;
}
