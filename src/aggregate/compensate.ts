import { LayeredVariables, type Variables } from '../expression/index.ts';
import { Asking } from './asking.ts';
import type { CompiledCall } from './compiled.ts';
import { questionOf } from './question.ts';
import type { CallResult } from './result.ts';
import type { AggregateRun } from './run.ts';

/** Names of calls that were undone, and of those that could not be. */
export interface Undone {
  readonly compensated: readonly string[];
  readonly notCompensated: readonly string[];
}

interface Step {
  readonly call: CompiledCall;
  readonly vars: Variables;
}

/**
 * Undoes what has succeeded where a later call fails: the last first, one after another. Nothing cuts it off,
 * neither the client's leaving nor the deadline: each step has its own time limit.
 */
export class Undoing {
  private readonly run_: AggregateRun;
  private readonly steps: Step[] = [];
  private readonly bad: string[] = [];

  constructor(run: AggregateRun) {
    this.run_ = run;
  }

  add(call: CompiledCall, vars: Variables, response: CallResult): void {
    // A call sees its own result here, also before the aggregate has it.
    const own = call.config.each === null ? { response, [call.name]: response } : { response };
    this.steps.push({ call, vars: new LayeredVariables(vars, own) });
  }

  /** Whether it was done nobody can tell: it was cut off, and is not undone. */
  cutOff({ name, undo }: CompiledCall): void {
    if (undo !== null) this.bad.push(name);
  }

  run(done: (undone: Undone) => void): void {
    const good: string[] = [];
    const { bad } = this;
    if (this.steps.length === 0) return done(told(good, bad));
    const { unfinished } = this.run_.aggregate.parts;
    unfinished.begin();
    const next = (): void => {
      const step = this.steps.pop();
      if (step === undefined) {
        unfinished.end();
        return done(told(good, bad));
      }
      this.undo(step, (worked) => {
        (worked ? good : bad).push(step.call.name);
        next();
      });
    };
    next();
  }

  private undo({ call, vars }: Step, done: (worked: boolean) => void): void {
    const { exchange, carried } = this.run_;
    const { method, programs, addressee } = call.undo!;
    const question = questionOf(programs, method, exchange, vars, carried);
    if ('kind' in question) return done(false);
    const asker = {
      wants: () => false,
      answered: () => done(true),
      failed: () => done(false),
    };
    new Asking(exchange, question, addressee, asker, this.run_.aggregate.parts.clock).start();
  }
}

/** Of an `each` that could be undone for some items alone it is told that it was not. */
function told(good: readonly string[], bad: readonly string[]): Undone {
  const notCompensated = [...new Set(bad)];
  return { compensated: [...new Set(good)].filter((name) => !bad.includes(name)), notCompensated };
}
