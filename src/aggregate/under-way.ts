import type { Value } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import type { Clock } from '../util/clock.ts';
import { type Addressee, type Asker, Asking, type Question, type Tells } from './asking.ts';
import type { CallRun } from './call-run.ts';
import { type Decision, isWanted } from './decision.ts';
import type { Gathering, Share } from './gathering.ts';
import type { Trouble } from './trouble.ts';
import type { Unit } from './units.ts';

/** A unit that is being asked. */
export interface UnderWay {
  start(): void;
  /** Ends it; its call hears why. */
  giveUp(why: Trouble): void;
  /** Ends it; nothing is told. */
  cancel(): void;
}

/** Asked by a request of its own. */
export class OwnRequest implements UnderWay, Asker {
  private readonly owner: CallRun;
  private readonly unit: Unit;
  private readonly asking: Asking;

  constructor(
    owner: CallRun,
    unit: Unit,
    exchange: Exchange,
    question: Question,
    addressee: Addressee,
    clock: Clock,
  ) {
    this.owner = owner;
    this.unit = unit;
    this.asking = new Asking(exchange, question, addressee, this, clock);
  }

  start(): void {
    this.asking.start();
  }

  wants(status: number): boolean {
    return isWanted(this.owner.decision(this.unit, status));
  }

  answered(status: number, headers: Headers, body: Buffer, tells: Tells): void {
    this.owner.ended(this, () => this.owner.answered(this.unit, status, headers, body, tells));
  }

  failed(why: Trouble): void {
    this.owner.ended(this, () => this.owner.failed(this.unit, why));
  }

  giveUp(why: Trouble): void {
    this.asking.cancel();
    this.failed(why);
  }

  cancel(): void {
    this.asking.cancel();
  }
}

/** Asked together with the items of other requests. */
export class SharedRequest implements UnderWay, Share {
  readonly exchange: Exchange;
  readonly carried: Headers;
  readonly items: ReadonlyMap<string, Value>;
  private readonly owner: CallRun;
  private readonly unit: Unit;
  private readonly gathering: Gathering;
  private leave: () => void = () => {};

  constructor(owner: CallRun, unit: Unit, exchange: Exchange, carried: Headers, gathering: Gathering) {
    this.owner = owner;
    this.unit = unit;
    this.exchange = exchange;
    this.carried = carried;
    this.gathering = gathering;
    this.items = new Map(unit.items.map(({ identity, value }) => [identity, value]));
  }

  start(): void {
    this.leave = this.gathering.join(this);
  }

  decision(status: number): Decision {
    return this.owner.decision(this.unit, status);
  }

  answered(status: number, headers: Headers, parts: ReadonlyMap<string, Value>, tells: Tells): void {
    this.owner.ended(this, () => this.owner.shared(this.unit, status, headers, parts, tells));
  }

  failed(why: Trouble): void {
    this.owner.ended(this, () => this.owner.failed(this.unit, why));
  }

  giveUp(why: Trouble): void {
    this.leave();
    this.failed(why);
  }

  cancel(): void {
    this.leave();
  }
}
