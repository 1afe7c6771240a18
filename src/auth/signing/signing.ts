import type { Clock } from '../../util/clock.ts';
import { fixedKeyRing, type KeyRing, rotatingKeyRing } from './key-ring.ts';
import type { SigningKey } from './signing-key.ts';

/** For how long a key that no longer signs is still told, in ms: tokens hold 60 s, copies of the set 5 minutes. */
const RETIRED = 10 * 60_000;

/** The keys that the gateway signs with, across reloads: one that is replaced is told until its last token has ended. */
export class Signing {
  private readonly clock: Clock;
  private readonly own: KeyRing;
  private inForce: KeyRing | null = null;
  private retired: { key: SigningKey; until: number }[] = [];

  constructor(nodeSecret: string, clock: Clock) {
    this.clock = clock;
    this.own = rotatingKeyRing(nodeSecret);
  }

  /** `pem`: the key of the config; null: the gateway's own. */
  ring(pem: string | null): KeyRing {
    const wall = this.clock.wall();
    const signed = this.inForce?.current(wall);
    const before = this.retired.filter(({ until }) => wall < until);
    if (signed !== undefined) before.push({ key: signed, until: wall + RETIRED });
    return pem === null ? this.own : fixedKeyRing(pem, before);
  }

  commit(ring: KeyRing): void {
    const wall = this.clock.wall();
    const last = this.inForce?.current(wall);
    if (last !== undefined && last.kid !== ring.current(wall).kid)
      this.retired = [
        ...this.retired.filter(({ until }) => wall < until),
        { key: last, until: wall + RETIRED },
      ];
    this.inForce = ring;
  }
}
