import type { Exchange } from '../../http/exchange.ts';
import type { Entry } from '../entry.ts';
import { type Fenced, urlTag } from '../fences/index.ts';
import type { Asks } from './asks.ts';

/** Where what became of background fills is counted. */
export interface RefreshCounter {
  /** An entry was filled again. */
  refreshed(): void;
  /** Its origin gave nothing that could be stored. */
  refreshFailed(): void;
  /** It was not tried: there was too much to do. */
  refreshDropped(): void;
}

/** A request that can be made again, and what it takes up, in bytes. */
export interface Repeatable {
  readonly request: Exchange;
  readonly bytes: number;
}

/** What has stored an entry, and can fill it again. */
export interface Refiller {
  readonly counter: RefreshCounter;
  /** Is this request answered from memory now, fresh? */
  stands(request: Exchange): boolean;
  /** May what carries these tags be answered from memory now? */
  mayAnswer(tags: readonly string[]): boolean;
  /** May it be stored? It may not while origins may still answer what was before a change. */
  mayStore(tags: readonly string[]): boolean;
  /** Asks the origin, or joins who does. `done` is called once; what came of it stands in memory, or does not. */
  refill(request: Exchange, done: () => void): void;
}

/**
 * - `standing`: nothing is known to have unseated it.
 * - `early`: a change has, which origins may not show yet; it is told once more.
 * - `held`: nothing that carries its tags may be stored yet.
 * - `waiting`: for its turn. `filling`: the origin is asked.
 * - `gone`: it is not looked after any more.
 */
type State = 'standing' | 'early' | 'held' | 'waiting' | 'filling' | 'gone';

/** What an entry costs beside its request, and a tag beside its text. Bytes. */
const OVERHEAD = 1024;
const TAG_OVERHEAD = 128;

/** An entry that is asked for often: how changes reach it, and by which request it is filled again. */
export class HotEntry implements Fenced {
  readonly name: string;
  readonly refiller: Refiller;
  readonly request: Exchange;
  readonly url: string;
  readonly tags: readonly string[];
  readonly sequence: number;
  /** What it takes up while it is looked after. */
  readonly bytes: number;
  state: State = 'standing';
  /** What has reached it while it was being filled. */
  next: 'early' | 'changed' | null = null;
  private readonly asks: Asks;

  constructor(
    name: string,
    { url, tags, sequence }: Entry,
    asks: Asks,
    { request, bytes }: Repeatable,
    refiller: Refiller,
  ) {
    this.name = name;
    this.url = url;
    this.tags = tags;
    this.sequence = sequence;
    this.asks = asks;
    this.request = request;
    this.refiller = refiller;
    this.bytes = tags.reduce((sum, tag) => sum + tag.length + TAG_OVERHEAD, OVERHEAD + name.length + bytes);
  }

  /** All tags that unseat it. */
  get allTags(): readonly string[] {
    return [...this.tags, urlTag(this.url)];
  }

  /** Once it is unseated nobody is answered from it: then this ends by itself. */
  isOften(now: number): boolean {
    return now < this.asks.oftenUntil;
  }
}
