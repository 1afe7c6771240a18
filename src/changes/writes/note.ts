/** That clients have written: their next reads wait until the source was followed up to there. */
export interface WriteNote {
  readonly source: string;
  /** Of the clients (`clientKey`). */
  readonly keys: readonly string[];
  /** What the database had reached when they had their answers; null: that isn't known yet. */
  readonly position: string | null;
}

/** As long is remembered what a client has written, in ms. */
export const REMEMBERED = 10 * 60_000;
