import type { Seated, Seats } from '../../cache/index.ts';
import type { Clock } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import { Pauses } from '../pauses.ts';

/** Milliseconds for which a node has the seat that it has asked for. */
const LEASE = 3000;
const RENEW_EVERY = 1000;
/** Between two tries for another's. */
const TRY_EVERY = 500;
/** Who can't read for so long lets another try, where one waits; and leaves it so much time to begin. */
const FRUITLESS = 8000;
/** Who hasn't heard for so long whether it still has the seat reads no more. */
const UNHEARD = 8000;

export interface SeatKeeperParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly topic: string;
  /** Null while the sequence stands elsewhere. */
  seats(): Seats | null;
  /** Others may have it meanwhile: each takes it when it has something to say, or when nothing stands. */
  readonly inTurns: boolean;
  /** Something stands of the topic, as far as this node knows. */
  isKnown(): boolean;
  /** Goes on without hearing whether it still has the seat. */
  readonly readsAlone: boolean;
  /** Milliseconds for which what it does with the seat has come to nothing. */
  idleFor(): number;
  /** It has the seat now; `standing`: what its last holder has told. */
  gained(standing: string | null): Promise<void>;
  /** Nothing stands any more of what it has told. */
  forgotten(): void;
  lost(): Promise<void>;
}

/**
 * Among nodes that share a log one reads each source, for all: who has its seat. It asks for the seat again and again;
 * when it dies, another has it some seconds later.
 */
export class SeatKeeper {
  /** Unlike that of any other reader. */
  readonly author: string;
  private readonly parts: SeatKeeperParts;
  private readonly pauses: Pauses;
  private readonly running: Promise<void>;
  private mine = false;
  private heardAt = 0;

  constructor(parts: SeatKeeperParts) {
    this.parts = parts;
    this.author = parts.random.hex(8);
    this.pauses = new Pauses(parts.clock);
    this.running = this.run();
  }

  /** The seat was found to be another's, or nobody's: tries to have it back. Null: nobody can tell. */
  async reclaim(): Promise<Seated | null> {
    const seated = await this.ask();
    return this.pauses.stopped ? null : seated;
  }

  /** It is another's. */
  async lose(): Promise<void> {
    if (!this.mine) return;
    this.mine = false;
    await this.parts.lost();
  }

  async stop(): Promise<void> {
    this.pauses.stop();
    await this.running;
    const { mine } = this;
    await this.lose();
    if (mine) await this.parts.seats()?.leave(this.parts.topic, this.author);
  }

  private async run(): Promise<void> {
    while (!this.pauses.stopped) {
      await this.turn();
      const { random } = this.parts;
      await this.pauses.wait((this.mine ? RENEW_EVERY : TRY_EVERY) * (0.75 + random.number() / 4));
    }
  }

  private async turn(): Promise<void> {
    if (this.mine && this.parts.inTurns && this.parts.isKnown()) return;
    const seated = await this.ask();
    if (this.pauses.stopped) return;
    if (seated === null) return await this.unheard();
    this.heardAt = this.parts.clock.now();
    if (seated.mine === false) return await this.lose();
    if (!this.mine) {
      this.mine = true;
      return await this.parts.gained(seated.standing);
    }
    if (seated.mine === 'new' || seated.standing === null) this.parts.forgotten();
    if (seated.wanted && this.parts.idleFor() > FRUITLESS) await this.yield();
  }

  private async unheard(): Promise<void> {
    const { readsAlone, clock } = this.parts;
    if (!readsAlone && clock.now() - this.heardAt > UNHEARD) await this.lose();
  }

  private async yield(): Promise<void> {
    await this.lose();
    await this.parts.seats()?.leave(this.parts.topic, this.author);
    await this.pauses.wait(FRUITLESS);
  }

  /** Null where nobody can tell. */
  private async ask(): Promise<Seated | null> {
    const { topic, inTurns: force } = this.parts;
    try {
      return (await this.parts.seats()?.take(topic, this.author, { ms: LEASE, force })) ?? null;
    } catch {
      return null;
    }
  }
}
