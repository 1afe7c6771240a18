/** Whether requests are welcome at this node, and why not. Workers hear of each change. */
export class Readiness {
  private reason: string | null = 'the gateway is starting';
  private readonly tell: (why: string | null) => void;

  constructor(tell: (why: string | null) => void) {
    this.tell = tell;
  }

  /** Null: they are welcome. */
  get why(): string | null {
    return this.reason;
  }

  set(why: string | null): void {
    if (why === this.reason) return;
    this.reason = why;
    this.tell(why);
  }
}
