import type { Clock } from '../util/clock.ts';
import type { LogFields, Logger } from './log.ts';

/** Between two lines about the same, in ms. */
const EVERY = 1_000;
/** Things that are told apart; further ones are told as one. */
const MOST = 1_000;

/** Tells of what may happen a thousand times a second: once a second, with how often it has. */
export class Seldom {
  private readonly log: Logger;
  private readonly clock: Clock;
  private readonly told = new Map<string, { at: number; since: number }>();

  constructor(log: Logger, clock: Clock) {
    this.log = log;
    this.clock = clock;
  }

  warn(message: string, fields: LogFields): void {
    const own = JSON.stringify([message, fields]);
    const key = this.told.has(own) || this.told.size < MOST ? own : message;
    const now = this.clock.now();
    const last = this.told.get(key);
    if (last !== undefined && now - last.at < EVERY) {
      last.since++;
      return;
    }
    this.told.set(key, { at: now, since: 0 });
    this.log.warn(message, { ...fields, count: (last?.since ?? 0) + 1 });
  }
}
