import type { Service, Target } from './service.ts';

/** What one try says of its target and its service: told once, or not at all. */
export class Verdict {
  private readonly service: Service;
  private readonly target: Target;
  private readonly turn: number;
  private owed = true;

  constructor(service: Service, target: Target) {
    this.service = service;
    this.target = target;
    this.turn = service.breaker.turn;
    target.state.requests++;
  }

  /**
   * @param trouble What speaks against the target; null for nothing.
   * @param isError The breaker counts it.
   */
  give(trouble: string | null, isError: boolean): void {
    if (!this.owed) return;
    this.owed = false;
    if (trouble !== null) this.target.state.failed(trouble);
    else if (!isError) this.target.state.succeeded();
    const { breaker } = this.service;
    if (!breaker.off) breaker.record(isError, this.turn);
  }

  /** The try ended before the service could show what it is worth. */
  drop(): void {
    if (!this.owed) return;
    this.owed = false;
    this.service.breaker.withdraw(this.turn);
  }
}
