import { EvaluationFailure, type Value, type Variables } from '../expression/index.ts';
import type { Headers } from '../http/headers.ts';
import type { Tells } from './asking.ts';
import { partsByKey, textOfKey } from './batch.ts';
import type { CompiledCall } from './compiled.ts';
import { type Decision, decide, fallbackFor } from './decision.ts';
import { notSent, questionOf } from './question.ts';
import { readResult } from './read.ts';
import { CallResult } from './result.ts';
import type { AggregateRun } from './run.ts';
import { type Trouble, trouble } from './trouble.ts';
import { OwnRequest, SharedRequest, type UnderWay } from './under-way.ts';
import { distinctItems, type Item, singleUnit, type Unit, unitsOf } from './units.ts';

/** One call of one aggregate, from its condition to its result: a request, or many. */
export class CallRun {
  readonly call: CompiledCall;
  /** `clock.now()`; -1: not yet. */
  startedAt = -1;
  endedAt = -1;
  skipped = false;
  /** Why it has no result of its own, where that is so. */
  trouble: Trouble | null = null;
  private readonly run: AggregateRun;
  private results: CallResult[] = [];
  private units: readonly Unit[] = [];
  private next = 0;
  private left = 0;
  private starting = false;
  private over = false;
  /** The list of an `each` could not be had. */
  private listless = false;
  private readonly underWay = new Set<UnderWay>();

  constructor(run: AggregateRun, call: CompiledCall) {
    this.run = run;
    this.call = call;
  }

  /** `late`: the deadline has come already, so nothing is sent. */
  start(late: Trouble | null): void {
    this.startedAt = this.run.now();
    const { programs, config } = this.call;
    if (!programs.whenOfItem && !this.holds(this.run.vars)) return this.skip();
    if (config.each === null) this.units = [singleUnit(this.run.vars)];
    else {
      const list = this.list();
      if (!Array.isArray(list)) return this.failWhole(list as Trouble);
      this.units = this.unitsOf(list);
    }
    this.left = this.units.length;
    if (this.left === 0) return this.finish();
    if (late === null) this.startUnits();
    else this.expire(late);
  }

  /** The deadline has come: what isn't there fails. */
  expire(late: Trouble): void {
    if (this.over || this.startedAt < 0) return;
    const waiting = this.units.slice(this.next);
    this.next = this.units.length;
    for (const asked of [...this.underWay]) asked.giveUp(late);
    for (const unit of waiting) this.failed(unit, late);
  }

  /** True: something that was asked had not come to its end. */
  cancel(): boolean {
    this.over = true;
    const cutOff = this.underWay.size > 0;
    for (const asked of this.underWay) asked.cancel();
    this.underWay.clear();
    return cutOff;
  }

  // --- Its items. ---

  /** A condition that fails is false. */
  private holds(vars: Variables): boolean {
    const { when } = this.call.programs;
    if (when === null) return true;
    try {
      return when.evaluate(vars) === true;
    } catch (error) {
      if (error instanceof EvaluationFailure) return false;
      throw error;
    }
  }

  private list(): readonly Value[] | Trouble {
    const { programs, config } = this.call;
    try {
      const value = programs.each!.evaluate(this.run.vars);
      if (value === null) return [];
      if (!Array.isArray(value)) return trouble('expression', 'what each goes through is no list');
      const { maxItems } = config.each!;
      if (value.length > maxItems)
        return trouble('expression', `${value.length} items are more than maxItems: ${maxItems}`);
      return value;
    } catch (error) {
      return notSent(error, this.run.exchange);
    }
  }

  /** Equal items are asked once; an item whose condition does not hold is not asked at all. */
  private unitsOf(list: readonly Value[]): Unit[] {
    this.results = new Array<CallResult>(list.length);
    const items = distinctItems(list, this.call.config.each!.as, this.run.vars);
    if (!this.call.programs.whenOfItem) return unitsOf(items, this.call, this.run.vars);
    const asked = items.filter((item) => this.holds(item.vars));
    for (const item of items) {
      if (!asked.includes(item)) this.put(item, CallResult.without(fallbackFor(this.call, item.vars)));
    }
    return unitsOf(asked, this.call, this.run.vars);
  }

  private put({ places }: Item, result: CallResult): void {
    for (const place of places) this.results[place] = result;
  }

  // --- Asking. ---

  private startUnits(): void {
    if (this.starting) return;
    this.starting = true;
    const concurrency = this.call.config.each?.concurrency ?? 1;
    while (!this.over && this.next < this.units.length && this.underWay.size < concurrency) {
      this.ask(this.units[this.next++]!);
    }
    this.starting = false;
  }

  private ask(unit: Unit): void {
    const asked = this.requestFor(unit);
    if ('kind' in asked) return this.failed(unit, asked);
    this.underWay.add(asked);
    asked.start();
  }

  private requestFor(unit: Unit): UnderWay | Trouble {
    const { call, run } = this;
    if (call.gathering !== null)
      return new SharedRequest(this, unit, run.exchange, run.carried, call.gathering);
    const question = questionOf(call.programs, call.config.method, run.exchange, unit.vars, run.carried);
    if ('kind' in question) return question;
    return new OwnRequest(this, unit, run.exchange, question, call.addressee, run.aggregate.parts.clock);
  }

  /** What was asked has come to its end; `then` says which. */
  ended(asked: UnderWay, then: () => void): void {
    this.underWay.delete(asked);
    if (this.over) return;
    try {
      then();
    } catch (error) {
      this.run.crash(error);
    }
  }

  answered(unit: Unit, status: number, headers: Headers, body: Buffer, tells: Tells): void {
    const good = status >= 200 && status <= 299;
    // It was read because its status is accepted, or is to be passed on.
    if (!good && this.decision(unit, status) === 'pass')
      return this.run.pass(this, trouble('status', `status ${status}`, { status, headers, body }));
    this.run.note(this, status, headers, tells);
    const result = readResult(this.call.config.read, status, headers, body);
    if (!(result instanceof CallResult)) return this.failed(unit, result);
    this.succeeded(unit, result, status, headers);
  }

  /** What becomes of an answer with a status that is none of success. */
  decision(unit: Unit, status: number): Decision {
    return decide(this.call, unit.vars, { kind: 'status', status });
  }

  private succeeded(unit: Unit, result: CallResult, status: number, headers: Headers): void {
    if (this.call.undo !== null) this.run.undoable(this, unit.vars, result);
    const { batch } = this.call.programs;
    if (batch === null) return this.putAll(unit, result);
    const parts = partsByKey(batch, this.run.vars, result);
    if (parts instanceof Map) this.handOut(unit, status, headers, parts);
    else this.failed(unit, { ...parts, status, headers });
  }

  /** The items of other requests were asked for too. */
  shared(
    unit: Unit,
    status: number,
    headers: Headers,
    parts: ReadonlyMap<string, Value>,
    tells: Tells,
  ): void {
    this.run.note(this, status, headers, tells);
    this.handOut(unit, status, headers, parts);
  }

  /** Gives each item of a batch its part. */
  handOut(unit: Unit, status: number, headers: Headers, parts: ReadonlyMap<string, Value>): void {
    const { key } = this.call.programs.batch!;
    for (const item of unit.items) {
      const text = textOfKey(key, item.vars);
      this.put(
        item,
        CallResult.ofPart(status, headers, (text === null ? undefined : parts.get(text)) ?? null),
      );
    }
    this.unitOver();
  }

  private putAll(unit: Unit, result: CallResult): void {
    for (const item of unit.items) this.put(item, result);
    this.unitOver();
  }

  // --- What has failed. ---

  failed(unit: Unit, why: Trouble): void {
    if (this.over) return;
    if (why.blame !== null) return this.run.fail(this, why);
    const decision = decide(this.call, unit.vars, why);
    // It counts as success, but there is nothing of it that could be read.
    if (decision === 'accept') return this.accept(unit, CallResult.of(why.status, why.headers, null), why);
    this.trouble ??= why;
    if (decision === 'pass' && why.body !== null) return this.run.pass(this, why);
    // What has no answer to pass on has failed.
    const failed = decision === 'fail' || decision === 'pass';
    if (failed && !this.call.config.optional) return this.run.fail(this, why);
    this.run.isPartial(this);
    for (const item of unit.items)
      this.put(item, CallResult.without(decision === 'null' ? null : fallbackFor(this.call, item.vars)));
    this.unitOver();
  }

  private accept(unit: Unit, result: CallResult, { status }: Trouble): void {
    if (this.call.undo !== null && status !== 0) this.run.undoable(this, unit.vars, result);
    this.putAll(unit, result);
  }

  /** The list of an `each` could not be had: there is no item that could fail. */
  private failWhole(why: Trouble): void {
    this.listless = true;
    this.left = 1;
    this.failed({ vars: this.run.vars, items: [] }, why);
  }

  // --- Its end. ---

  private unitOver(): void {
    this.left--;
    if (this.left === 0) return this.finish();
    this.startUnits();
  }

  private skip(): void {
    this.skipped = true;
    if (this.call.config.each === null)
      this.results = [CallResult.without(fallbackFor(this.call, this.run.vars))];
    this.finish();
  }

  private finish(): void {
    this.over = true;
    this.endedAt = this.run.now();
    this.run.done(this, this.call.config.each === null ? this.results[0]! : this.results);
  }

  /** Its body where the answer is not composed by an expression. */
  get body(): Value {
    if (this.call.config.each === null) return this.results[0]!.verbatim();
    if (this.listless) return fallbackFor(this.call, this.run.vars);
    return this.results.map((result) => result.verbatim());
  }
}
