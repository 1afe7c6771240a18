/**
 * Asks whether a replica has all that was written, one question at a time: in Redis each holds up whatever else was
 * sent on its connection, so many in a row would drown the heartbeat. Who comes meanwhile shares the next.
 */
export class Confirming {
  private readonly ask: () => Promise<boolean>;
  private current: Promise<boolean> | null = null;
  private next: Promise<boolean> | null = null;

  /** @param ask Ends within a bound, and never rejects. */
  constructor(ask: () => Promise<boolean>) {
    this.ask = ask;
  }

  /** Is what was written before this call confirmed? */
  confirmed(): Promise<boolean> {
    if (this.current === null) return this.begin();
    this.next ??= this.current.then(() => {
      this.next = null;
      return this.confirmed();
    });
    return this.next;
  }

  private begin(): Promise<boolean> {
    const current = this.ask().finally(() => {
      this.current = null;
    });
    this.current = current;
    return current;
  }
}
