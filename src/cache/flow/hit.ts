import { CodedForms } from '../../http/coded-forms.ts';
import type { Headers } from '../../http/headers.ts';
import { RepeatedAnswer, RepeatedReply, Timed, UNTIMED } from '../../http/repeated.ts';
import type { Entry } from '../entry.ts';
import { cacheStatus, currentAge, privateHeaders, type RequestCacheFields } from '../policy/index.ts';
import type { MemoryStore } from '../store/index.ts';

const TIMED = ['age', 'cache-status'];

/** How an entry is answered: kept with it, so that a hit is written from text that is made once. */
export class HitAnswer extends RepeatedAnswer {
  readonly entry: Entry;
  private forms: CodedForms | null = null;
  private readonly memory: MemoryStore;

  constructor(entry: Entry, memory: MemoryStore) {
    super(entry.status, entry.private ? privateHeaders(entry.headers) : entry.headers, entry.body, TIMED);
    this.entry = entry;
    this.memory = memory;
  }

  override get coded(): CodedForms {
    this.forms ??= new CodedForms(this, () => this.memory.recount(this.entry));
    return this.forms;
  }

  /** Bytes that are kept beside those of the entry. */
  get codedBytes(): number {
    return this.forms?.bytes ?? 0;
  }

  /** The whole content under other headers. */
  under(headers: Headers): RepeatedReply {
    return new RepeatedReply(this, UNTIMED, headers);
  }

  /** The whole answer at `now`, in ms of the wall clock. */
  reply(now: number): RepeatedReply {
    const age = currentAge(this.entry, now);
    return new RepeatedReply(this, timedOf(Math.floor(age), Math.floor(this.entry.lifetime - age)));
  }
}

/** As bits: for an hour each second has a place. */
const RECENT_BITS = 12;
const RECENT = 1 << RECENT_BITS;
const recent = new Array<Recent | null>(RECENT).fill(null);

interface Recent {
  readonly age: number;
  readonly ttl: number;
  readonly timed: Timed;
}

/** What hits of one age and time to live say of both, in s: made once for all of them. */
function timedOf(age: number, ttl: number): Timed {
  // Of entries that live equally long the one is what the other lacks: mixed, lest few places do for all.
  const place = Math.imul(age * 31 + ttl, 0x9e3779b1) >>> (32 - RECENT_BITS);
  const known = recent[place]!;
  if (known !== null && known.age === age && known.ttl === ttl) return known.timed;
  const timed = new Timed(['Age', String(age), 'Cache-Status', cacheStatus({ hit: true, ttl })]);
  recent[place] = { age, ttl, timed };
  return timed;
}

/** A copy of an entry is another entry, whatever it took along. */
export function hitsOf(entry: Entry, memory: MemoryStore): HitAnswer {
  const { hits } = entry;
  if (hits !== undefined && hits.entry === entry) return hits;
  entry.hits = new HitAnswer(entry, memory);
  return entry.hits;
}

/** Does the request ask for the whole content, without conditions? Then nothing but time tells two answers apart. */
export function asksForAll(method: string, fields: RequestCacheFields): boolean {
  return method === 'GET' && !asksForPart(fields);
}

/** Perhaps for a part of the content, or for none: that depends on what is stored. */
export function asksForPart({ range, ifNoneMatch, ifModifiedSince }: RequestCacheFields): boolean {
  return range !== null || ifNoneMatch !== null || ifModifiedSince !== null;
}
