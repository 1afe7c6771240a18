import type { RedisLink, Reply } from '../../redis/index.ts';
import type { Clock } from '../../util/clock.ts';

/** How long Redis may keep a question for news; milliseconds. */
const BLOCK = 500;
/** Before the next attempt where one failed. */
const PAUSE = 50;
const COUNT = 500;

/** A place in the log: AT of its id counts invalidations, the rest counts the heartbeats after one. */
export interface Position {
  readonly at: number;
  readonly beat: number;
}

export interface LogEntry extends Position {
  readonly fields: ReadonlyMap<string, string>;
}

export function parsePosition(id: string): Position {
  const [at, beat] = id.split('-');
  return { at: Number(at), beat: Number(beat) };
}

export function isAfter(one: Position, other: Position): boolean {
  return one.at > other.at || (one.at === other.at && one.beat > other.beat);
}

/** What XRANGE answers, and XREAD for a stream. */
export function parseEntries(reply: Reply): LogEntry[] {
  return ((reply ?? []) as [Reply, Reply[]][]).map(([id, words]) => {
    const fields = new Map<string, string>();
    for (let i = 0; i < words.length; i += 2) fields.set(String(words[i]), String(words[i + 1]));
    return { ...parsePosition(String(id)), fields };
  });
}

/** Asks for what comes after a position, and waits for it in Redis; on a connection of its own. */
export class Follower {
  private readonly link: RedisLink;
  private readonly clock: Clock;
  private readonly stream: string;
  /** From where, or null where that isn't known yet. */
  private readonly from: () => Position | null;
  private readonly arrived: (entries: LogEntry[]) => void;
  private closed = false;

  constructor(
    link: RedisLink,
    clock: Clock,
    stream: string,
    from: () => Position | null,
    arrived: (entries: LogEntry[]) => void,
  ) {
    this.link = link.another({ timeout: 3 * BLOCK });
    this.clock = clock;
    this.stream = stream;
    this.from = from;
    this.arrived = arrived;
    this.run();
  }

  /** It hears nothing, though there is something: perhaps from a server that no longer counts. */
  reconnect(): void {
    this.link.reconnect();
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.link.close();
  }

  private async run(): Promise<void> {
    while (!this.closed) {
      const from = this.from();
      const asked = from === null || !this.link.connected ? null : await this.ask(from).catch(() => null);
      if (this.closed) return;
      if (asked === null) await new Promise<void>((resolve) => this.clock.after(PAUSE, resolve));
      else if (asked.length > 0) this.arrived(asked);
    }
  }

  private async ask({ at, beat }: Position): Promise<LogEntry[]> {
    const id = `${at}-${beat}`;
    const reply = await this.link.send('xread', 'COUNT', COUNT, 'BLOCK', BLOCK, 'STREAMS', this.stream, id);
    // One stream was asked for: its name and its entries.
    const [stream] = (reply ?? []) as Reply[][];
    return stream === undefined ? [] : parseEntries(stream[1] ?? null);
  }
}
