const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** After the first failure, the second, and so on; then as the last. */
const PAUSES = [2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR];
/** Failed tries in an hour, of one host, over all lives of the process: authorities count them and lock out. */
const MOST_AN_HOUR = 4;
/** Longest that an authority is believed when it asks to be left alone. */
const LONGEST_REST = 8 * 24 * HOUR;

/**
 * When a host may be tried for again after a failure. Whoever starts the gateway anew has mended something, and is not
 * held up by pauses; but a gateway that is started again and again asks no more often than one that stays.
 */
export class Tries {
  private failedAt: number[] = [];
  private inARow = 0;
  private pauseUntil = 0;
  private restUntil = 0;

  /** @param noted What `note` gave in an earlier life; what lies beyond all reason there comes of a wrong clock. */
  constructor(noted: string | null, wall: number) {
    const { failedAt, restUntil } = readNote(noted);
    this.failedAt = failedAt.filter((at) => at <= wall);
    this.restUntil = restUntil <= wall + LONGEST_REST ? restUntil : 0;
  }

  /** Milliseconds since 1970. */
  get nextAt(): number {
    const full = this.failedAt.length < MOST_AN_HOUR ? 0 : this.failedAt.at(-MOST_AN_HOUR)! + HOUR;
    return Math.max(this.pauseUntil, this.restUntil, full);
  }

  /**
   * @param retryAfter What the authority asks for, ms; null: nothing.
   * @param chance From 0 to 1: not all hosts and nodes at once.
   */
  failed(wall: number, retryAfter: number | null, chance: number): void {
    const pause = PAUSES[Math.min(this.inARow, PAUSES.length - 1)]!;
    this.inARow++;
    this.failedAt = [...this.failedAt, wall].slice(-MOST_AN_HOUR);
    this.pauseUntil = wall + pause * (1 + chance / 10);
    if (retryAfter !== null) this.restUntil = wall + Math.min(retryAfter, LONGEST_REST);
  }

  note(): string {
    return JSON.stringify({ failedAt: this.failedAt, restUntil: this.restUntil });
  }
}

/** A note that can't be read says nothing. */
function readNote(noted: string | null): { failedAt: number[]; restUntil: number } {
  try {
    const { failedAt, restUntil } = JSON.parse(noted ?? '{}') as Record<string, unknown>;
    return {
      failedAt: Array.isArray(failedAt) ? failedAt.filter((at) => Number.isFinite(at)) : [],
      restUntil: Number.isFinite(restUntil) ? (restUntil as number) : 0,
    };
  } catch {
    return { failedAt: [], restUntil: 0 };
  }
}
