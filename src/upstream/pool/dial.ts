import { Failure } from '../../http/errors.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import type { Resolver } from '../resolver.ts';

/**
 * An address that can't be reached for so long, in ms, is waited for no longer alone: the next is tried beside it, as
 * RFC 8305 §5 has it. Less where they would not all have their turn in time.
 */
const STAGGER = 250;

/** Who wants the connection. */
export interface DialOwner {
  /** Tries one address, for so many ms at most, and says `refused` of the dial where that fails. */
  connect(dial: Dial, address: string, left: number): void;
  /** Does anyone still wait for it? Only then is another address tried. */
  isWanted(dial: Dial): boolean;
  failed(dial: Dial, failure: Failure): void;
}

/**
 * One way to a target: its name is resolved, and its addresses are tried in turn, all within one time limit; the first
 * connection is taken. Each dial begins with another address, so that they share the load.
 */
export class Dial {
  private readonly host: string;
  private readonly clock: Clock;
  private readonly owner: DialOwner;
  private readonly until: number;
  private addresses: readonly string[] = [];
  private stagger = STAGGER;
  /** Connections that are being made. */
  private trying = 0;
  private waiting: Timer | null = null;
  begun = false;
  private closed = false;

  constructor(host: string, timeout: number, clock: Clock, owner: DialOwner) {
    this.host = host;
    this.clock = clock;
    this.owner = owner;
    this.until = clock.now() + timeout;
  }

  /** @param turn How many dials began before it. */
  begin(resolver: Resolver, turn: number): void {
    this.begun = true;
    let late: object | null = this.clock.after(this.until - this.clock.now(), () => {
      late = null;
      this.fail(new Failure('TG_UPSTREAM_DNS', `${this.host} was not resolved in time`));
    });
    resolver.resolve(this.host, (addresses) => {
      if (late === null) return;
      this.clock.cancel(late);
      if (addresses instanceof Failure) return this.fail(addresses);
      this.addresses = addresses.map((_, i) => addresses[(turn + i) % addresses.length]!);
      this.stagger = Math.min(STAGGER, (this.until - this.clock.now()) / addresses.length);
      this.next();
    });
  }

  /** Someone is there at the last address that was tried: what is still to be agreed on with them may take its time. */
  reached(): void {
    if (this.waiting !== null) this.clock.cancel(this.waiting);
    this.waiting = null;
  }

  refused(failure: Failure): void {
    this.trying--;
    this.reached();
    if (this.isWorthAnother) this.next();
    else if (this.trying === 0) this.fail(failure);
  }

  /** Nobody is told any more. */
  close(): void {
    this.closed = true;
    this.reached();
  }

  private get isWorthAnother(): boolean {
    if (this.closed || this.addresses.length === 0 || this.clock.now() >= this.until) return false;
    return this.owner.isWanted(this);
  }

  private next(): void {
    if (this.closed) return;
    const [address, ...others] = this.addresses;
    this.addresses = others;
    this.trying++;
    if (others.length > 0) {
      this.waiting = this.clock.after(this.stagger, () => {
        this.waiting = null;
        if (this.isWorthAnother) this.next();
      });
    }
    this.owner.connect(this, address!, this.until - this.clock.now());
  }

  private fail(failure: Failure): void {
    if (!this.closed) this.owner.failed(this, failure);
  }
}
