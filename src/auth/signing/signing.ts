import type { Clock } from '../../util/clock.ts';
import { fixedKeyRing, type KeyRing, rotatingKeyRing } from './key-ring.ts';
import type { SigningKey } from './signing-key.ts';

/** For how long a key that no longer signs is still told, in ms: tokens hold 60 s, copies of the set 5 minutes. */
const RETIRED = 10 * 60_000;

/** The keys that the gateway signs with, across reloads: one that is replaced is told until its last token has ended. */
export class Signing {
  private readonly clock: Clock;
  private readonly secret: () => string;
  /** Made of the secret as it was last seen. */
  private made: { secret: string; ring: KeyRing } | null = null;
  private inForce: KeyRing | null = null;
  private retired: { key: SigningKey; until: number }[] = [];
  private readonly own: KeyRing = {
    current: (wall) => this.ringNow(wall).current(wall),
    published: (wall) => {
      const keys = this.ringNow(wall).published(wall);
      const told = this.retired.filter(
        ({ key, until }) => wall < until && keys.every(({ kid }) => kid !== key.kid),
      );
      return told.length === 0 ? keys : [...keys, ...told.map(({ key }) => key)];
    },
  };

  /** @param secret What the gateway's own keys are made of; it may be replaced. */
  constructor(secret: () => string, clock: Clock) {
    this.clock = clock;
    this.secret = secret;
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
    if (last !== undefined && last.kid !== ring.current(wall).kid) this.retire(last, wall);
    this.inForce = ring;
  }

  private ringNow(wall: number): KeyRing {
    const secret = this.secret();
    if (this.made?.secret === secret) return this.made.ring;
    if (this.made !== null) this.retire(this.made.ring.current(wall), wall);
    this.made = { secret, ring: rotatingKeyRing(secret) };
    return this.made.ring;
  }

  private retire(key: SigningKey, wall: number): void {
    this.retired = [...this.retired.filter(({ until }) => wall < until), { key, until: wall + RETIRED }];
  }
}
