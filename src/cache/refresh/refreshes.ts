import type { Clock } from '../../util/clock.ts';
import type { Entry } from '../entry.ts';
import type { Fences, Invalidation } from '../fences/index.ts';
import { Asks } from './asks.ts';
import { HotEntries } from './hot-entries.ts';
import { HotEntry, type Refiller, type Repeatable } from './hot-entry.ts';

/** What a worker keeps of requests that can be made again. Bytes. */
const MOST_BYTES = 16 * 1024 * 1024;
/** Fills under way at once in a worker. */
const MOST_AT_ONCE = 20;
/** Those that wait for their turn; what a change unseats beyond that is left to its readers. */
const MOST_WAITING = 1000;
/** The request that is made again is not older than this while its entry is asked for; ms. */
const KEPT_FOR = 30_000;
/** Where a request can't be made again: how soon that of another reader is looked at; ms. */
const LOOK_AGAIN = 1000;

/**
 * What is asked for often is filled again at once when a change has unseated it, in the background, so that its next
 * reader need not wait. One stands in each worker for the config in force.
 *
 * It changes nothing of what may be answered. A fill of its own is one more reader's, who comes right behind the
 * change: it takes its number before it asks, so what a further change overtakes is dead, and is filled once more.
 */
export class Refreshes {
  private readonly clock: Clock;
  private readonly fences: Fences;
  private readonly asks = new WeakMap<Entry, Asks>();
  private readonly entries = new HotEntries(MOST_BYTES);
  /** In the order in which they were unseated. */
  private readonly waiting = new Set<HotEntry>();
  private readonly held = new Set<HotEntry>();
  private filling = 0;
  private turn: NodeJS.Immediate | null = null;
  private closed = false;

  constructor(clock: Clock, fences: Fences) {
    this.clock = clock;
    this.fences = fences;
  }

  // --- What is asked for often. ---

  /** The entry was answered from. True where the request should be kept, if it can be made again. */
  asked(entry: Entry): boolean {
    if (this.closed) return false;
    const now = this.clock.now();
    const asks = this.asksOf(entry);
    asks.add(now);
    return now < asks.oftenUntil && now >= asks.keepFrom;
  }

  /** @param repeatable By which it is filled again; null: this request can't be made again. */
  keep(key: string, entry: Entry, repeatable: Repeatable | null, refiller: Refiller): void {
    const asks = this.asksOf(entry);
    asks.keepFrom = this.clock.now() + (repeatable === null ? LOOK_AGAIN : KEPT_FOR);
    if (repeatable === null || this.closed) return;
    const name = JSON.stringify([key, entry.varyOn, entry.varyValues]);
    const former = this.entries.get(name);
    if (former !== undefined) this.forget(former);
    const gone = this.entries.add(new HotEntry(name, entry, asks, repeatable, refiller));
    for (const hot of gone) this.giveUp(hot);
  }

  private asksOf(entry: Entry): Asks {
    let asks = this.asks.get(entry);
    if (asks === undefined) {
      asks = new Asks();
      this.asks.set(entry, asks);
    }
    return asks;
  }

  // --- What unseats it. ---

  /** An invalidation has been applied to the fences. */
  unseat(what: Invalidation): void {
    if (this.entries.size === 0) return;
    for (const hot of this.entries.namedBy(what)) this.unseated(hot, what.early ?? false);
  }

  /** The floor has risen. */
  unseatAll(): void {
    for (const hot of [...this.entries.all()]) this.unseated(hot, false);
  }

  /** What could not be stored for a while may be by now. */
  lookAgain(): void {
    for (const hot of [...this.held]) this.due(hot);
  }

  private unseated(hot: HotEntry, early: boolean): void {
    if (!this.fences.isDead(hot) && !this.fences.isStale(hot)) return;
    if (hot.state === 'filling') hot.next = early ? 'early' : 'changed';
    else if (early) this.move(hot, 'early');
    else this.due(hot);
  }

  /** It is to be filled as soon as may be. */
  private due(hot: HotEntry): void {
    if (hot.state === 'waiting') return;
    if (!hot.isOften(this.clock.now())) return this.forget(hot);
    if (this.waiting.size >= MOST_WAITING) return this.drop(hot);
    if (!hot.refiller.mayStore(hot.tags)) return this.move(hot, 'held');
    this.move(hot, 'waiting');
    this.goOn();
  }

  private move(hot: HotEntry, state: HotEntry['state']): void {
    this.waiting.delete(hot);
    this.held.delete(hot);
    hot.state = state;
    if (state === 'waiting') this.waiting.add(hot);
    if (state === 'held') this.held.add(hot);
  }

  // --- Its fill. ---

  /** Behind what is under way: whoever told of the change hears first that it holds here. */
  private goOn(): void {
    this.turn ??= setImmediate(() => {
      this.turn = null;
      for (const hot of this.waiting) {
        if (this.filling >= MOST_AT_ONCE) return;
        this.fill(hot);
      }
    });
  }

  private fill(hot: HotEntry): void {
    const { refiller, request } = hot;
    // A reader was quicker, or there is nobody left who would read it.
    if (refiller.stands(request) || !hot.isOften(this.clock.now())) return this.forget(hot);
    if (!refiller.mayAnswer(hot.tags)) return this.drop(hot);
    this.move(hot, 'filling');
    this.filling++;
    refiller.refill(request, () => this.filled(hot));
  }

  private filled(hot: HotEntry): void {
    this.filling--;
    if (this.waiting.size > 0) this.goOn();
    const { refiller, request, next } = hot;
    hot.next = null;
    if (refiller.stands(request)) {
      refiller.counter.refreshed();
      return this.forget(hot);
    }
    if (hot.state === 'gone') return;
    if (next === 'changed') return this.due(hot);
    if (next === 'early') return this.move(hot, 'early');
    refiller.counter.refreshFailed();
    this.forget(hot);
  }

  // --- Its end. ---

  /** Left to its readers, and to the next change. Not taken out: a purge of everything would do that thousands of times. */
  private drop(hot: HotEntry): void {
    hot.refiller.counter.refreshDropped();
    this.move(hot, 'standing');
  }

  private forget(hot: HotEntry): void {
    this.entries.delete(hot);
    this.move(hot, 'gone');
  }

  private giveUp(hot: HotEntry): void {
    if (hot.state === 'waiting' || hot.state === 'held') hot.refiller.counter.refreshDropped();
    this.forget(hot);
  }

  /** All that was stored is gone, or the routes that have stored it. */
  clear(): void {
    for (const hot of [...this.entries.all()]) this.giveUp(hot);
  }

  /** Nothing is filled from now on; what is under way goes on to its end. */
  close(): void {
    this.closed = true;
    this.clear();
    if (this.turn !== null) clearImmediate(this.turn);
  }
}
