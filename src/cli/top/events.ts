import { setTimeout as pause } from 'node:timers/promises';
import { type AdminApi, AdminTrouble } from '../admin-api.ts';

export interface Heard {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A stream that says nothing for so long has broken off unseen: it beats every 15 s; ms. */
const SILENCE = 20_000;
const PAUSE = 1_000;
/** One event may be so long, in characters. */
const LONGEST = 16 * 1024 * 1024;

/** Reads the events of a gateway until it is ended: a lost stream is asked for anew, and goes on where it was. */
export class EventReader {
  private readonly api: AdminApi;
  private readonly hear: (event: Heard) => void;
  private readonly ended = new AbortController();
  private last: string | null = null;

  constructor(api: AdminApi, hear: (event: Heard) => void) {
    this.api = api;
    this.hear = hear;
  }

  async run(): Promise<void> {
    const { signal } = this.ended;
    while (!signal.aborted) {
      try {
        await this.readOne();
      } catch (error) {
        // Why it is away is told by whoever looks once a second.
        if (!(error instanceof AdminTrouble) && !isBroken(error)) throw error;
      }
      await pause(PAUSE, null, { signal }).catch(() => {});
    }
  }

  end(): void {
    this.ended.abort();
  }

  private async readOne(): Promise<void> {
    const silent = new AbortController();
    const watch = setTimeout(() => silent.abort(), SILENCE);
    const headers: Record<string, string> = this.last === null ? {} : { 'last-event-id': this.last };
    const signal = AbortSignal.any([this.ended.signal, silent.signal]);
    try {
      const answer = await this.api.ask('/v1/events', { headers, signal }, null);
      if (answer.statusCode !== 200) return void answer.destroy();
      for await (const block of blocksIn(answer, () => watch.refresh())) this.take(block);
    } finally {
      clearTimeout(watch);
    }
  }

  private take(block: string): void {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    const type = field('event');
    if (type === undefined) return;
    this.last = field('id') ?? this.last;
    this.hear({ type, data: JSON.parse(field('data') ?? '{}') as Heard['data'] });
  }
}

/** Blocks of server-sent events (HTML, §9.2), as the admin API writes them. */
async function* blocksIn(body: AsyncIterable<Uint8Array>, alive: () => void): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    alive();
    const blocks = (text + decoder.decode(chunk, { stream: true })).split('\n\n');
    text = blocks.pop()!;
    if (text.length > LONGEST) return;
    yield* blocks;
  }
}

/** The connection is gone, or what came was no event. */
function isBroken(error: unknown): boolean {
  return error instanceof SyntaxError || (error as NodeJS.ErrnoException).code !== undefined;
}
