import type { Clock } from '../util/clock.ts';
import { type LogFields, type Logger, type LogLevel, logTo } from './log.ts';

/** A change of state, as one of those who found it out tells it. */
export interface NewsEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** The same of the same server, within so many ms, is the same news: whoever finds it out late has a moment. */
const WHILE = 15_000;
/** Servers that are remembered; more than a node has. */
const MOST = 1000;

/**
 * What many find out alike, such as each connection of each worker that Redis is away: the log is told by the first of
 * them. Which server it is about stands in the field `redis`.
 */
export class SharedNews {
  /** For those who find it out in this process. */
  readonly log: Logger;
  private readonly target: Logger;
  private readonly clock: Clock;
  /** What was told of each last, and when. */
  private readonly told = new Map<string, { message: string; at: number }>();

  constructor(target: Logger, clock: Clock) {
    this.target = target;
    this.clock = clock;
    this.log = logTo((level, message, fields) => this.tell({ level, message, fields }));
  }

  tell({ level, message, fields }: NewsEntry): void {
    const about = String(fields.redis);
    const at = this.clock.now();
    const last = this.told.get(about);
    if (last !== undefined && last.message === message && at - last.at < WHILE) return;
    if (this.told.size >= MOST) this.told.clear();
    this.told.set(about, { message, at });
    this.target[level](message, fields);
  }
}
