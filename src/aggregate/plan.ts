/** What a plan is made from. */
export interface PlanInput {
  readonly name: string;
  readonly method: string;
  /** Names of the calls whose results it reads. */
  readonly needs: ReadonlySet<string>;
}

export interface PlannedCall {
  readonly name: string;
  /** Places of the calls that must be over before it begins. */
  readonly after: readonly number[];
  /** Places of the calls that wait for it. */
  readonly before: readonly number[];
  /** 0: it begins at once; else one more than the latest of those it waits for. */
  readonly stage: number;
}

/** The graph of an aggregate's calls. */
export interface Plan {
  /** In the order of the file. */
  readonly calls: readonly PlannedCall[];
  /** Names of the calls that can run beside each other, in their order. */
  readonly stages: readonly (readonly string[])[];
}

/** Calls that wait for each other, each for the next and the last for the first. */
export interface PlanCycle {
  readonly cycle: readonly string[];
  /** That it waits is due to the order of unsafe calls alone, for these: `[waiting, for]`. */
  readonly byOrder: readonly (readonly [string, string])[];
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

function isSafe(method: string): boolean {
  return SAFE.has(method);
}

/**
 * Reads the graph from what the calls need. Calls with an unsafe method also wait for the one before them in the
 * file, so that what they change happens in an order that can be relied on.
 */
export function planCalls(inputs: readonly PlanInput[]): Plan | PlanCycle {
  const place = new Map(inputs.map(({ name }, index) => [name, index]));
  const after = inputs.map(({ needs }) =>
    [...needs].map((name) => place.get(name)).filter((index) => index !== undefined),
  );
  const byOrder: (readonly [string, string])[] = [];
  let last = -1;
  inputs.forEach(({ name, method }, index) => {
    if (isSafe(method)) return;
    if (last >= 0 && !after[index]!.includes(last)) {
      after[index]!.push(last);
      byOrder.push([name, inputs[last]!.name]);
    }
    last = index;
  });
  const cycle = findCycle(after);
  if (cycle !== null) return { cycle: cycle.map((index) => inputs[index]!.name), byOrder };
  return planOf(inputs, after);
}

function planOf(inputs: readonly PlanInput[], after: readonly (readonly number[])[]): Plan {
  const stage = new Array<number>(inputs.length).fill(-1);
  const stageOf = (index: number): number => {
    if (stage[index]! < 0) stage[index] = Math.max(-1, ...after[index]!.map(stageOf)) + 1;
    return stage[index]!;
  };
  const calls = inputs.map(({ name }, index) => ({
    name,
    after: [...after[index]!].sort((a, b) => a - b),
    before: inputs.flatMap((_, other) => (after[other]!.includes(index) ? [other] : [])),
    stage: stageOf(index),
  }));
  const stages: string[][] = [];
  for (const call of calls) {
    stages[call.stage] ??= [];
    stages[call.stage]!.push(call.name);
  }
  return { calls, stages };
}

/** A ring in the graph, each waiting for the next; null where there is none. */
function findCycle(after: readonly (readonly number[])[]): number[] | null {
  const state = new Array<'new' | 'open' | 'done'>(after.length).fill('new');
  const path: number[] = [];
  const visit = (index: number): number[] | null => {
    if (state[index] === 'done') return null;
    if (state[index] === 'open') return path.slice(path.indexOf(index));
    state[index] = 'open';
    path.push(index);
    for (const next of after[index]!) {
      const found = visit(next);
      if (found !== null) return found;
    }
    path.pop();
    state[index] = 'done';
    return null;
  };
  for (let index = 0; index < after.length; index++) {
    const found = visit(index);
    if (found !== null) return found;
  }
  return null;
}
