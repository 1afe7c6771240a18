import {
  EvaluationFailure,
  LayeredVariables,
  recordFields,
  type Value,
  type Variables,
} from '../expression/index.ts';
import type { Headers } from '../http/headers.ts';
import { type Asker, Asking } from './asking.ts';
import { partsByKey, textOfKey } from './batch.ts';
import type { CompiledCall } from './compiled.ts';
import { inspectJson } from './inspect-json.ts';
import { withoutTwins } from './last-twins.ts';
import { identityOf, questionOf } from './question.ts';
import { CallResult } from './result.ts';
import type { AggregateRun } from './run.ts';
import { type Trouble, trouble } from './trouble.ts';

/** What is asked at once: one request, for one item, or for the items of a batch. */
interface Unit {
  readonly vars: Variables;
  readonly items: readonly Item[];
}

interface Item {
  readonly value: Value;
  readonly vars: Variables;
  /** Where its result stands. */
  readonly places: number[];
}

type Decision = 'fail' | 'null' | 'fallback' | 'pass' | 'accept';

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
  private units: Unit[] = [];
  private next = 0;
  private left = 0;
  private starting = false;
  private over = false;
  /** Why the list of an `each` could not be had. */
  private whole: Trouble | null = null;
  private readonly underWay = new Set<Question>();

  constructor(run: AggregateRun, call: CompiledCall) {
    this.run = run;
    this.call = call;
  }

  /** `late`: the deadline has come already, so nothing is sent. */
  start(late: Trouble | null): void {
    this.startedAt = this.run.now();
    const { programs, config } = this.call;
    if (!programs.whenOfItem && !this.holds(this.run.vars)) return this.skip();
    if (config.each === null) {
      this.units = [{ vars: this.run.vars, items: [{ value: null, vars: this.run.vars, places: [0] }] }];
    } else {
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
    for (const question of [...this.underWay]) question.giveUp(late);
    for (const unit of waiting) this.failed(unit, late);
  }

  cancel(): void {
    this.over = true;
    for (const question of this.underWay) question.cancel();
    this.underWay.clear();
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
      if (error instanceof EvaluationFailure) return trouble('expression', error.message);
      throw error;
    }
  }

  /** Equal items are asked once; an item whose condition does not hold is not asked at all. */
  private unitsOf(list: readonly Value[]): Unit[] {
    const { as, batch } = this.call.config.each!;
    const { whenOfItem } = this.call.programs;
    const items = new Map<string, Item>();
    this.results = new Array<CallResult>(list.length);
    list.forEach((value, place) => {
      const identity = safeIdentity(value, place);
      const known = items.get(identity);
      if (known !== undefined) {
        known.places.push(place);
        return;
      }
      items.set(identity, {
        value,
        vars: new LayeredVariables(this.run.vars, { [as]: value }),
        places: [place],
      });
    });
    const asked = [...items.values()].filter((item) => {
      if (!whenOfItem || this.holds(item.vars)) return true;
      this.put(item, CallResult.without(this.fallbackFor(item.vars)));
      return false;
    });
    if (batch === null) return asked.map((item) => ({ vars: item.vars, items: [item] }));
    const units: Unit[] = [];
    for (let at = 0; at < asked.length; at += batch.size) {
      const some = asked.slice(at, at + batch.size);
      units.push({
        vars: new LayeredVariables(this.run.vars, { items: some.map(({ value }) => value) }),
        items: some,
      });
    }
    return units;
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
    const { call, run } = this;
    const question = questionOf(call.programs, call.config.method, run.exchange, unit.vars, run.carried);
    if ('kind' in question) return this.failed(unit, question);
    const asked = new Question(this, unit);
    this.underWay.add(asked);
    asked.asking = new Asking(run.exchange, question, call.addressee, asked, run.now());
    asked.asking.start();
  }

  /** @internal The question of a unit has come to its end. */
  ended(question: Question, then: () => void): void {
    this.underWay.delete(question);
    try {
      then();
    } catch (error) {
      this.run.crash(error);
    }
  }

  /** @internal */
  answered(unit: Unit, status: number, headers: Headers, body: Buffer): void {
    const good = status >= 200 && status <= 299;
    let accepted = good;
    if (!good) {
      const decision = this.decide(unit, { kind: 'status', status });
      if (decision === 'pass')
        return this.run.pass(this, trouble('status', `status ${status}`, { status, headers, body }));
      accepted = decision === 'accept';
    }
    const result = this.resultOf(status, headers, body);
    if (result instanceof CallResult) return this.succeeded(unit, result, status, headers);
    if (accepted && !good) {
      // What it says of itself was accepted, and it has no more to say.
      const decision = this.decide(unit, result);
      if (decision === 'accept')
        return this.succeeded(unit, CallResult.of(status, headers, null), status, headers);
    }
    this.failed(unit, result);
  }

  /** @internal Is the body of an answer that is none of success wanted? */
  wants(unit: Unit, status: number): boolean {
    const decision = this.decide(unit, { kind: 'status', status });
    return decision === 'accept' || decision === 'pass';
  }

  private resultOf(status: number, headers: Headers, body: Buffer): CallResult | Trouble {
    if (body.length === 0) return CallResult.of(status, headers, null);
    const { read } = this.call.config;
    if (read === 'text') return CallResult.of(status, headers, body.toString());
    if (read === 'base64') return CallResult.of(status, headers, body.toString('base64'));
    const json = withoutMark(body);
    const found = inspectJson(json);
    if (found === 'broken') return trouble('notJson', 'its body is no JSON', { status, headers, body });
    return CallResult.ofJson(status, headers, found === 'twins' ? withoutTwins(json) : json);
  }

  private succeeded(unit: Unit, result: CallResult, status: number, headers: Headers): void {
    if (this.call.undo !== null) this.run.undoable(this, unit.vars, result);
    if (this.call.programs.batch === null) {
      for (const item of unit.items) this.put(item, result);
      return this.unitOver();
    }
    const parts = partsByKey(this.call.programs.batch, this.run.vars, result);
    if (!(parts instanceof Map)) return this.failed(unit, { ...parts, status, headers });
    for (const item of unit.items) {
      const key = textOfKey(this.call.programs.batch.key, item.vars);
      this.put(item, CallResult.of(status, headers, (key === null ? undefined : parts.get(key)) ?? null));
    }
    this.unitOver();
  }

  // --- What has failed. ---

  /** @internal */
  failed(unit: Unit, why: Trouble): void {
    if (this.over) return;
    this.trouble ??= why;
    if (why.blame !== null) return this.run.fail(this, why);
    const decision = this.decide(unit, why);
    if (decision === 'accept') {
      this.trouble = null;
      return this.succeeded(unit, CallResult.of(why.status, why.headers, null), why.status, why.headers);
    }
    if (decision === 'pass' && why.body !== null) return this.run.pass(this, why);
    // What has no answer to pass on has failed.
    const failed = decision === 'fail' || decision === 'pass';
    if (failed && !this.call.config.optional) return this.run.fail(this, why);
    this.run.isPartial(this);
    for (const item of unit.items) {
      this.put(item, CallResult.without(decision === 'null' ? null : this.fallbackFor(item.vars)));
    }
    this.unitOver();
  }

  private decide(unit: Unit, { kind, status }: Pick<Trouble, 'kind' | 'status'>): Decision {
    const { programs, onError, name } = this.call;
    if (programs.onError === null) return onError;
    const error = recordFields({ call: name, kind, status: BigInt(status) });
    try {
      const decision = programs.onError.evaluate(new LayeredVariables(unit.vars, { error }));
      if (decision === null) return 'null';
      return typeof decision === 'string' && DECISIONS.has(decision) ? (decision as Decision) : 'fail';
    } catch (failure) {
      if (failure instanceof EvaluationFailure) return 'fail';
      throw failure;
    }
  }

  private fallbackFor(vars: Variables): Value {
    const { fallback } = this.call.programs;
    if (fallback === null) return null;
    if ('value' in fallback) return fallback.value;
    try {
      return fallback.evaluate(vars);
    } catch (error) {
      if (error instanceof EvaluationFailure) return null;
      throw error;
    }
  }

  /** The list of an `each` could not be had. */
  private failWhole(why: Trouble): void {
    this.units = [{ vars: this.run.vars, items: [] }];
    this.left = 1;
    this.whole = why;
    this.failed(this.units[0]!, why);
  }

  // --- Its end. ---

  private unitOver(): void {
    this.left--;
    if (this.left === 0) return this.finish();
    this.startUnits();
  }

  private skip(): void {
    this.skipped = true;
    if (this.call.config.each === null) this.results = [CallResult.without(this.fallbackFor(this.run.vars))];
    this.finish();
  }

  private finish(): void {
    this.over = true;
    this.endedAt = this.run.now();
    const value = this.call.config.each === null ? this.results[0]! : this.results;
    this.run.done(this, value);
  }

  /** Its body where the answer is not composed by an expression. */
  get body(): Value {
    if (this.call.config.each === null) return this.results[0]!.verbatim();
    if (this.whole !== null) return this.fallbackFor(this.run.vars);
    return this.results.map((result) => result.verbatim());
  }
}

/** A unit that is being asked. */
class Question implements Asker {
  asking!: Asking;
  private readonly owner: CallRun;
  private readonly unit: Unit;

  constructor(owner: CallRun, unit: Unit) {
    this.owner = owner;
    this.unit = unit;
  }

  wants(status: number): boolean {
    return this.owner.wants(this.unit, status);
  }

  answered(status: number, headers: Headers, body: Buffer): void {
    this.owner.ended(this, () => this.owner.answered(this.unit, status, headers, body));
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

const DECISIONS: ReadonlySet<string> = new Set(['fail', 'null', 'fallback', 'pass', 'accept']);

/** What has no JSON (a NaN, say) is equal to nothing. */
function safeIdentity(value: Value, place: number): string {
  try {
    return identityOf(value);
  } catch (error) {
    if (error instanceof EvaluationFailure) return `#${place}`;
    throw error;
  }
}

/** A byte order mark before JSON says nothing (RFC 8259 §8.1). */
function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}
