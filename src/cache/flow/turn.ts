import type { Clock } from '../../util/clock.ts';
import type { SharedStore } from '../shared-store.ts';

/** A fill whose node has died is another node's business after so long, in ms. */
const CLAIM = 5_000;
/** How often another node's fill is waited for, before this one asks whoever else does. */
const TURNS = 2;

/** A flight's turn at a key that nodes share: while another node fills it, what that one stores is waited for. */
export class Turn {
  private readonly shared: SharedStore;
  private readonly name: string;
  private readonly clock: Clock;
  private isOurs = false;

  constructor(shared: SharedStore, name: string, clock: Clock) {
    this.shared = shared;
    this.name = name;
    this.clock = clock;
  }

  /** Claims the fill and waits for nobody. */
  async claim(): Promise<'mine' | 'theirs' | 'away'> {
    const claim = await this.shared.claim(this.name, CLAIM);
    this.isOurs = claim === 'mine';
    return claim;
  }

  /**
   * Resolves with true once `look` has found what another node stored, else once it is this one's turn to ask.
   *
   * @param until Of `clock.now()`: when it asks, whoever else does.
   * @param waits Told once, where there is another to wait for.
   */
  async wait(look: () => Promise<boolean>, until: number, waits: () => void): Promise<boolean> {
    for (let turn = 0; turn < TURNS; turn++) {
      const claim = await this.claim();
      if (claim === 'away') return false;
      if (claim === 'theirs') {
        if (turn === 0) waits();
        await this.shared.settled(this.name, until - this.clock.now());
      }
      // Also with a claim of its own: another's fill may have ended between the first look and the claim.
      if (await look()) return true;
      if (this.isOurs) return false;
    }
    return false;
  }

  /** Who waits at another node looks for the entry once nobody claims it, so it must be there by then. */
  async end(putting: Promise<void> | null): Promise<void> {
    if (!this.isOurs) return;
    await putting;
    this.shared.release(this.name);
  }
}
