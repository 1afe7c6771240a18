import type { BodySink, BodySource } from '../http/body.ts';
import { isSource } from '../http/body.ts';
import { Failure } from '../http/errors.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import { isEventStream, isGrpc } from '../http/media-type.ts';
import { PassingBody } from '../http/passing.ts';
import type { Dispatch, Finish, HeaderTransform } from '../pipeline/index.ts';
import type { Clock, Timer } from '../util/clock.ts';
import type { Identity, Remembrance, RevocationFences } from './contract.ts';
import type { Withheld } from './guard.ts';

/** How often tunnels and streams are held against new invalidations, in ms, where nobody says that there are any. */
const LOOK = 500;

/**
 * Tunnels, event streams and calls of gRPC that go on long after their request was let in. Each closes when its
 * credential ends, or when its subject or token is purged.
 */
export class LiveCredentials {
  private readonly clock: Clock;
  private readonly fences: RevocationFences;
  private readonly memory: Remembrance;
  private readonly held = new Set<Held>();
  /** The version of the fences that all who are held were held against; -1: not all were. */
  private looked = -1;
  private timer: Timer | null = null;

  constructor(clock: Clock, fences: RevocationFences, memory: Remembrance) {
    this.clock = clock;
    this.memory = memory;
    this.fences = fences;
  }

  get size(): number {
    return this.held.size;
  }

  /** The dispatch of a guarded route: its tunnels and streams are held. */
  watching(dispatch: Dispatch): Dispatch {
    let lastOut: Finish | null = null;
    let lastWrapped: Finish | null = null;
    return (exchange, out) => {
      if (out !== lastOut) {
        lastOut = out;
        lastWrapped = this.wrap(out);
      }
      dispatch(exchange, lastWrapped!);
    };
  }

  /** Closes what has been invalidated; whoever applies an invalidation calls it. */
  sweep(): void {
    this.looked = this.fences.version;
    for (const one of [...this.held]) {
      const { identity } = one;
      // In a new sequence every invalidation is newer than what was let in under the old.
      const sequence = one.life === this.memory.life() ? one.sequence : 0;
      if (this.fences.isDead({ sequence, tags: identity.tags, url: '' }))
        one.cut('its subject or token was purged');
    }
  }

  close(): void {
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = null;
    for (const one of this.held) one.release();
  }

  private wrap(out: Finish): Finish {
    return {
      finish: (exchange: Exchange, answer: Reply, transform: HeaderTransform | null) => {
        if (exchange.identity !== null && isLong(answer)) this.hold(exchange, answer);
        out.finish(exchange, answer, transform);
      },
    };
  }

  private hold(exchange: Exchange, answer: Reply): void {
    const source = answer.tunnel === null ? answer.body : answer.tunnel.source;
    if (!isSource(source)) return;
    const held = new Held(source, exchange, this.clock, this.memory.life(), (one) => this.held.delete(one));
    this.held.add(held);
    // What came between the guard and now was swept without it.
    this.looked = -1;
    if (answer.tunnel === null) answer.body = held;
    else {
      const { tunnel } = answer;
      answer.tunnel = { source: held, take: (client) => tunnel.take(client) };
    }
    this.look();
  }

  private look(): void {
    if (this.timer !== null || this.held.size === 0) return;
    this.timer = this.clock.after(LOOK, () => {
      this.timer = null;
      if (this.fences.version !== this.looked) this.sweep();
      this.look();
    });
  }
}

/** Of a call of gRPC nobody can tell beforehand whether it is one message or a stream of them. */
function isLong({ tunnel, headers }: Reply): boolean {
  return tunnel !== null || isEventStream(headers) || isGrpc(headers);
}

/** What a service sends, for as long as the credential that it was asked with counts. */
class Held extends PassingBody {
  readonly identity: Identity;
  readonly sequence: number;
  readonly life: number;
  private readonly clock: Clock;
  private readonly done: (one: Held) => void;
  private timer: Timer | null = null;

  constructor(source: BodySource, exchange: Exchange, clock: Clock, life: number, done: (one: Held) => void) {
    super(source);
    this.identity = exchange.identity as Identity;
    this.life = life;
    this.sequence = (exchange.withheld as Withheld).sequence;
    this.clock = clock;
    this.done = done;
    const { expiresAt } = this.identity;
    if (expiresAt !== null) this.endAt(expiresAt);
  }

  /** A clock waits for some weeks at most; credentials may live for longer. */
  private endAt(expiresAt: number): void {
    const { clock } = this;
    this.timer = clock.after(expiresAt - clock.wall(), () => {
      if (clock.wall() >= expiresAt) this.cut('its credential ran out');
      else this.endAt(expiresAt);
    });
  }

  /** Both ends are closed: the service's connection, and visibly the client's. */
  cut(why: string): void {
    this.release();
    const sink: BodySink | null = this.sink;
    this.cancel();
    sink?.fail(new Failure('TG_AUTH_ENDED', why));
  }

  release(): void {
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = null;
    this.done(this);
  }

  override cancel(): void {
    this.release();
    super.cancel();
  }

  override end(trailers: Headers | null): void {
    this.release();
    super.end(trailers);
  }

  override fail(failure: Failure): void {
    this.release();
    super.fail(failure);
  }
}
