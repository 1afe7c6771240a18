import type { Exchange } from '../../http/exchange.ts';

/** One whose next reads are to show what it has written. */
export interface Writer {
  /** The answer to its write is complete. Resolves, in bounded time, once its next reads can't miss it; never rejects. */
  wrote(): Promise<void>;
}

/** What clients have written, and must not read older (read your writes). `changes/` is one; it stands above. */
export interface OwnWrites {
  /** Who makes an unsafe request; null: nobody who would be known again. */
  writer(exchange: Exchange): Writer | null;
  /**
   * All that the client of this request has written: `reached` where nothing older can be answered to it, else `done`
   * is called, with `behind` after the time that it may wait.
   */
  waitFor(exchange: Exchange, done: (outcome: 'reached' | 'behind') => void): 'reached' | { cancel(): void };
}
