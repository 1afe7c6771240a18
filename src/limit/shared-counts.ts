import { hash } from 'node:crypto';
import { type RedisLink, redisLibrary } from '../redis/index.ts';
import type { Clock } from '../util/clock.ts';
import { ownText } from '../util/own-text.ts';
import { type Allowance, intervalOf, type Verdict } from './gcra.ts';

/** Requests taken ahead are good for so long, in ms; then they are given up. */
const GOOD_FOR = 1_000;
/** As many are taken at once as this worker was asked for in so many ms, */
const AHEAD = 100;
/** at most this part of what the limit allows in a second, and of a burst. */
const PART_OF_SECOND = 0.1;
const PART_OF_BURST = 0.5;
/** Keys whose standing is remembered. */
const MOST_KEYS = 100_000;

/**
 * Takes up to `wanted` requests of a key, by the generic cell rate algorithm on the clock of Redis, and tells how many
 * it got, for how long the key is busy, how long until there is another, and how many there are now; times in microseconds.
 */
const CODE = `
redis.register_function('NAME_take', function(keys, args)
  local interval, burst, wanted = tonumber(args[1]), tonumber(args[2]), tonumber(args[3])
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local until_ = math.max(tonumber(redis.call('GET', keys[1]) or now), now)
  local room = now + burst * interval - until_
  local got = math.min(wanted, math.floor(room / interval + 0.00001))
  if got < 1 then
    return {0, math.ceil(until_ - now), math.ceil(interval - room), 0}
  end
  until_ = until_ + got * interval
  redis.call('SET', keys[1], string.format('%.3f', until_), 'PX', math.ceil((until_ - now) / 1000) + 1000)
  room = room - got * interval
  local rest = math.floor(room / interval + 0.00001)
  return {got, math.ceil(until_ - now), rest > 0 and 0 or math.ceil(interval - room), rest}
end)
`;

const LIBRARY = redisLibrary('tidegate_limit', CODE);

/** What this worker holds of a key. All times are of its clock. */
interface Held {
  /** Requests taken ahead. */
  left: number;
  /** What was left in Redis. */
  readonly rest: number;
  /** How often it was asked for since `since`. */
  asked: number;
  readonly since: number;
  /** Until when they are good. */
  readonly goodUntil: number;
  /** When Redis is asked again, once they are used up: where it had few, what it has by then is worth a trip. */
  readonly askAt: number;
  /** When another request may come, where there are none. */
  readonly waitUntil: number;
  /** When all of the burst may come again. */
  readonly fullAt: number;
}

/** Counts that nodes share in Redis. A hot key costs no trip a request: some are taken ahead, and a refusal is remembered. */
export class SharedCounts {
  private readonly link: RedisLink;
  private readonly prefix: string;
  private readonly clock: Clock;
  private readonly held = new Map<string, Held>();
  /** Questions under way. */
  private readonly asking = new Map<string, Promise<boolean>>();

  /** @param prefix Names its keys in Redis. Closes the link that it is given. */
  constructor(link: RedisLink, prefix: string, clock: Clock) {
    this.link = link;
    this.prefix = prefix;
    this.clock = clock;
  }

  get connected(): boolean {
    return this.link.connected;
  }

  /** Takes one, if it is allowed. Null: Redis could not tell in time. */
  take(key: string, allowance: Allowance): Verdict | Promise<Verdict | null> {
    const held = this.held.get(key);
    const now = this.clock.now();
    if (held !== undefined) {
      if (held.left > 0 && held.goodUntil > now) return granted(held, now);
      if (held.askAt > now) return refused(held, now);
    }
    // Whoever comes while Redis is asked takes from what it gives, or asks once more.
    const asking = this.asking.get(key) ?? this.fetch(key, allowance);
    return asking.then((answered) => (answered ? this.take(key, allowance) : null));
  }

  /** False: it was not taken from here. */
  giveBack(key: string): boolean {
    const held = this.held.get(key);
    if (held === undefined) return false;
    held.left++;
    return true;
  }

  close(): Promise<void> {
    return this.link.close();
  }

  private fetch(key: string, allowance: Allowance): Promise<boolean> {
    const asked = this.ask(key, allowance).finally(() => this.asking.delete(key));
    this.asking.set(key, asked);
    return asked;
  }

  /** False: Redis did not answer in time. */
  private async ask(key: string, allowance: Allowance): Promise<boolean> {
    const interval = intervalOf(allowance);
    const began = this.clock.now();
    const ahead = aheadOf(this.held.get(key), began, allowance);
    const name = `${this.prefix}:limit:${hash('sha256', key, 'base64url').slice(0, 27)}`;
    const args = [interval * 1000, allowance.burst, ahead];
    try {
      const reply = (await this.link.call(LIBRARY, 'take', [name], args)) as (number | string)[];
      const [got, busy, wait, rest] = reply.map(Number) as [number, number, number, number];
      const now = this.clock.now();
      if (this.held.size >= MOST_KEYS) this.forget(now);
      this.held.set(ownText(key), {
        left: got,
        rest,
        asked: 0,
        since: now,
        goodUntil: now + GOOD_FOR,
        askAt: got < ahead ? now + Math.min(GOOD_FOR, Math.max(wait / 1000, (ahead - 1) * interval)) : now,
        waitUntil: now + wait / 1000,
        fullAt: now + busy / 1000,
      });
      return true;
    } catch {
      return false;
    }
  }

  private forget(now: number): void {
    for (const [key, { goodUntil }] of this.held) if (goodUntil <= now) this.held.delete(key);
    if (this.held.size >= MOST_KEYS) this.held.clear();
  }
}

/** How many to take: a key that is seldom asked for takes one, so that many workers don't hold what others want. */
function aheadOf(held: Held | undefined, now: number, allowance: Allowance): number {
  const most = Math.min((1000 / intervalOf(allowance)) * PART_OF_SECOND, allowance.burst * PART_OF_BURST);
  const wanted = held === undefined ? 1 : (held.asked * AHEAD) / Math.max(1, now - held.since);
  return Math.max(1, Math.floor(Math.min(most, wanted)));
}

function granted(held: Held, now: number): Verdict {
  held.asked++;
  held.left--;
  const remaining = held.left + held.rest;
  const wait = remaining > 0 ? 0 : Math.max(0, held.waitUntil - now);
  return { allowed: true, remaining, wait, full: Math.max(0, held.fullAt - now) };
}

function refused(held: Held, now: number): Verdict {
  const { askAt, waitUntil, fullAt } = held;
  held.asked++;
  const wait = Math.max(askAt, waitUntil) - now;
  return { allowed: false, remaining: 0, wait, full: Math.max(0, fullAt - now) };
}
