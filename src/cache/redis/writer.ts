import type { Arg, RedisLink, Reply } from '../../redis/index.ts';
import type { Random } from '../../util/random.ts';
import { type Seated, Superseded } from '../sequence/index.ts';
import { type Position, parsePosition } from './follower.ts';
import { FUNCTIONS } from './functions.ts';
import type { Group, Keyspace } from './keys.ts';
import { encodeMessage, fenceArguments, type Message, noteArguments } from './message.ts';

/** Entries that the log keeps, about: a node that comes back later drops what it holds. */
const LONGEST_LOG = 20_000;
/** The reply of a function where no epoch is open: Redis has lost its memory, or gone back in time. */
const NOT_OPEN = -1;
/** The first of its reply where the author of a note has lost its seat. */
const SUPERSEDED = -2;

/** What Redis says: in which epoch it is, and how far. */
export interface Standing {
  readonly epoch: number;
  /** Number of the newest invalidation. */
  readonly sequence: number;
  /** Below it everything is dead. */
  readonly floor: number;
  /** Of the newest entry of the log. */
  readonly last: Position;
  /** Replicas that have been heard of within two seconds. */
  readonly replicas: number;
  /** What stands of each topic up to `last`; null: that was not asked. */
  readonly notes: ReadonlyMap<string, string> | null;
}

/** No epoch is open. */
export class NotOpen extends Error {}

/** The functions in Redis that number invalidations and set fences. */
export class Writer {
  private readonly link: RedisLink;
  private readonly keys: Keyspace;
  private readonly random: Random;
  /** The highest floor at which a group was found that did not join. */
  private highest = 0;

  constructor(link: RedisLink, keys: Keyspace, random: Random) {
    this.link = link;
    this.keys = keys;
    this.random = random;
  }

  /**
   * Joins the epoch that is open, or opens a new one, in which everything that was stored before is dead. Of several
   * that open at once one does, and the others join.
   * @param known The newest number that this node has seen: a new epoch begins above it.
   * @param anew Begins a new epoch even where one is open.
   */
  async open(known: number, anew: boolean): Promise<Standing> {
    // 52 bits, so that every part of Redis and of JavaScript holds it exactly; never 0.
    const epoch = Number.parseInt(this.random.hex(6), 16) * 16 + 1;
    const above = Math.max(known, this.highest);
    const reply = await this.call('open', this.keys.first, [epoch, above, anew ? 1 : 0]);
    const standing = standingOf(reply);
    await Promise.all(this.others().map((group) => this.tend(group, standing.epoch)));
    return standing;
  }

  /**
   * Shows that the log can be written, and how far it reaches.
   * @param every Milliseconds between two heartbeats of all nodes together.
   * @param look Whether the life of the server is looked at again, which a log that goes on needn't show.
   * @param notes Whether to tell what stands of all topics.
   */
  async beat(every: number, look: boolean, notes = false): Promise<Standing> {
    const args = [every * 1000, look ? 1 : 0, LONGEST_LOG, notes ? 1 : 0];
    const told = standingOf(await this.call('beat', this.keys.first, args));
    const standing = notes ? told : { ...told, notes: null };
    if (look) await Promise.all(this.others().map((group) => this.tend(group, standing.epoch)));
    return standing;
  }

  /** Numbers an invalidation, sets its fences and tells the log. */
  async purge(message: Message): Promise<{ number: number; at: number }> {
    const others = this.others();
    const told = [LONGEST_LOG, encodeMessage(message)];
    const notes = noteArguments(message);
    const fences = fenceArguments(message);
    if (others.length === 0)
      return numbered(await this.call('purge', this.keys.first, [...told, ...notes, ...fences]));
    const [number, epoch] = (await this.call('begin', this.keys.first, [])) as [number, number];
    await Promise.all(others.map((group) => this.fence(group, epoch, [number, ...fences])));
    return numbered(
      await this.call('commit', this.keys.first, [...told, epoch, number, ...notes, ...fences]),
    );
  }

  async seat(topic: string, author: string, ms: number, force: boolean): Promise<Seated> {
    const reply = await this.call('seat', this.keys.first, [topic, author, ms, force ? 1 : 0]);
    const [mine, standing, wanted] = reply as Reply[];
    return {
      mine: mine === 0 ? false : mine === 1 ? 'renewed' : 'new',
      standing: standing === null ? null : String(standing),
      wanted: wanted === 1,
    };
  }

  async unseat(topic: string, author: string): Promise<void> {
    await this.call('unseat', this.keys.first, [topic, author]);
  }

  /** Has a replica got all that was written so far? */
  async replicated(ms: number): Promise<boolean> {
    try {
      return Number(await this.link.send('wait', 1, Math.ceil(ms))) > 0;
    } catch {
      return false;
    }
  }

  private others(): readonly Group[] {
    return this.keys.groups.slice(1);
  }

  private async fence(group: Group, epoch: number, args: readonly Arg[]): Promise<void> {
    try {
      await this.call('fence', group, [epoch, ...args]);
    } catch (error) {
      if (!(error instanceof NotOpen)) throw error;
      await this.tend(group, epoch);
      await this.call('fence', group, [epoch, ...args]);
    }
  }

  /** Joins a group that is not good in the epoch to it. */
  private async tend(group: Group, epoch: number): Promise<void> {
    const life = await this.call('join', group, [epoch]);
    if (life === 1) return;
    // Asked only now, so that every number given out before the loss is below the floor.
    const now = await this.beat(0, false);
    if (now.epoch !== epoch) throw new NotOpen('Another epoch has begun meanwhile');
    const reply = await this.call('join', group, [epoch, now.sequence, String(life)]);
    if (reply === 1) return;
    this.highest = Math.max(this.highest, Number(reply));
    throw new NotOpen('Another epoch has begun meanwhile');
  }

  private async call(name: string, group: Group, args: readonly Arg[]): Promise<Reply> {
    const { fences, soft, prefixes, log, life, notes, seats } = group;
    const keys = [fences, soft, prefixes, log, life, notes, seats];
    const reply = await this.link.call(FUNCTIONS, name, keys, args);
    if (reply === NOT_OPEN) throw new NotOpen('Redis has lost its memory');
    return reply;
  }
}

function standingOf(reply: Reply): Standing {
  const [epoch, sequence, floor, last, replicas = 0, notes = []] = reply as Reply[];
  return {
    epoch: Number(epoch),
    sequence: Number(sequence),
    floor: Number(floor),
    last: parsePosition(String(last)),
    replicas: Number(replicas),
    notes: byTopic(notes as Reply[]),
  };
}

function byTopic(words: readonly Reply[]): ReadonlyMap<string, string> {
  const notes = new Map<string, string>();
  for (let i = 0; i < words.length; i += 2) notes.set(String(words[i]), String(words[i + 1]));
  return notes;
}

function numbered(reply: Reply): { number: number; at: number } {
  const [number, at] = reply as Reply[];
  if (number === SUPERSEDED) throw new Superseded(String(at));
  return { number: Number(number), at: Number(at) };
}
