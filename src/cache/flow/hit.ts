import type { Headers } from '../../http/headers.ts';
import { RepeatedAnswer, RepeatedReply } from '../../http/repeated.ts';
import type { Entry } from '../entry.ts';
import { cacheStatus, currentAge, privateHeaders, type RequestCacheFields } from '../policy/index.ts';
import type { MemoryStore } from '../store/index.ts';

/** What is kept with an entry so that a hit is written from text that is made once. */
export class Hits {
  readonly entry: Entry;
  private readonly answer: RepeatedAnswer;
  private age = -1;
  private ttl = Number.NaN;

  /** @param grown Told when more is kept with the entry than before. */
  constructor(entry: Entry, grown: () => void) {
    const headers = entry.private ? privateHeaders(entry.headers) : entry.headers;
    this.entry = entry;
    this.answer = new RepeatedAnswer(entry.status, headers, entry.body, grown);
  }

  /** Bytes that are kept beside those of the entry: its coded forms. */
  get codedBytes(): number {
    return this.answer.codedBytes;
  }

  /** The whole content under other headers. */
  under(headers: Headers): RepeatedReply {
    return new RepeatedReply(this.answer, headers);
  }

  /** The whole answer at `now`, in ms of the wall clock. */
  reply(now: number): RepeatedReply {
    const { entry, answer } = this;
    const exact = currentAge(entry, now);
    const age = Math.floor(exact);
    const ttl = Math.floor(entry.lifetime - exact);
    if (age !== this.age || ttl !== this.ttl) {
      this.age = age;
      this.ttl = ttl;
      answer.varying = ['Age', String(age), 'Cache-Status', cacheStatus({ hit: true, ttl })];
    }
    return new RepeatedReply(answer);
  }
}

/** A copy of an entry is another entry, whatever it took along. */
export function hitsOf(entry: Entry, key: string, memory: MemoryStore): Hits {
  const { hits } = entry;
  if (hits !== undefined && hits.entry === entry) return hits;
  entry.hits = new Hits(entry, () => memory.recount(key));
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
