import type { ServerHttp2Session } from 'node:http2';
import type { Clock, Timer } from '../util/clock.ts';

/** Ms between two looks: what a reload brings holds for open connections soon. */
const LONGEST = 2000;

/**
 * Bounds the time a client takes to send a head, of which node:http2 tells only once it is whole. That one has begun
 * shows in the number of the last stream; one whose head was malformed counts there, too, and was never told of. So the
 * client is sent a PING: within a head it can't answer (RFC 9113 §4.3).
 *
 * It looks no oftener than it must, for very many connections are idle: so a head may take up to `LONGEST` longer.
 */
export class BegunHeads {
  private readonly session: ServerHttp2Session;
  private readonly clock: Clock;
  private readonly allowed: () => number;
  private readonly expired: () => void;
  /** The last stream whose head has come whole. */
  private whole = 0;
  private timer: Timer;

  /** @param allowed Ms for a head, as the limits in force have it. */
  constructor(session: ServerHttp2Session, clock: Clock, allowed: () => number, expired: () => void) {
    this.session = session;
    this.clock = clock;
    this.allowed = allowed;
    this.expired = expired;
    this.timer = this.waitToLook();
  }

  came(stream: number): void {
    this.whole = stream;
  }

  close(): void {
    this.clock.cancel(this.timer);
  }

  private waitToLook(): Timer {
    return this.clock.after(Math.min(this.allowed(), LONGEST), () => this.look());
  }

  private look(): void {
    if (this.session.destroyed) return;
    const begun = this.session.state.lastProcStreamID ?? 0;
    if (begun <= this.whole) {
      this.timer = this.waitToLook();
      return;
    }
    this.timer = this.clock.after(this.allowed(), this.expired);
    this.session.ping((error) => {
      if (error !== null) return;
      this.whole = Math.max(this.whole, begun);
      this.clock.cancel(this.timer);
      this.timer = this.waitToLook();
    });
  }
}
