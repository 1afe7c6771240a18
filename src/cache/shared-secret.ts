import type { Clock, Timer } from '../util/clock.ts';
import type { SharedStore } from './shared-store.ts';

/** How often it is looked whether the secret still stands where nodes share it, and how soon where nobody could say; ms. */
const EVERY = 30_000;
const SOON = 1_000;

/**
 * What nodes make their keys from: those of the gateway's own cookies, and those that it signs with. It is the node's
 * own until the store that nodes share has given theirs; the first node puts its own there, and whoever has it puts it
 * there again where the store has lost it.
 */
export class SharedSecret {
  private readonly clock: Clock;
  private value: string;
  private store: SharedStore | null = null;
  private timer: Timer | null = null;

  constructor(own: string, clock: Clock) {
    this.value = own;
    this.clock = clock;
  }

  readonly current = (): string => this.value;

  /** From now on the one of this store; null: it stays what it is. Resolves once the store was asked. */
  async follow(store: SharedStore | null): Promise<void> {
    this.stop();
    this.store = store;
    if (store !== null) await this.look(store);
  }

  close(): void {
    this.stop();
    this.store = null;
  }

  private async look(store: SharedStore): Promise<void> {
    const shared = await store.secret(this.value);
    if (store !== this.store) return;
    if (shared !== null) this.value = shared;
    this.timer = this.clock.after(shared === null ? SOON : EVERY, () => void this.look(store));
  }

  private stop(): void {
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = null;
  }
}
