import type { LoadResult } from '../load.ts';
import { fixed, median } from '../report.ts';

/** A load that is measured while another one goes on beside it. */
export interface Case {
  readonly name: string;
  /** The other load; null: none. */
  readonly beside: (() => Promise<LoadResult>) | null;
  readonly runs: LoadResult[];
  /** Requests of the other load, by run. */
  readonly asked: number[];
}

export function caseOf(name: string, beside: Case['beside']): Case {
  return { name, beside, runs: [], asked: [] };
}

/** Runs all cases in turn; each comes first and last as often as the others: the machine may grow slower or faster. */
export async function runBeside(
  cases: readonly Case[],
  load: () => Promise<LoadResult>,
  rounds: number,
): Promise<void> {
  await load();
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < cases.length; i++) {
      const { beside, runs, asked } = cases[(round + i) % cases.length]!;
      const other = beside?.();
      runs.push(await load());
      asked.push((await other)?.requests ?? 0);
    }
  }
}

/** The median of the rounds' p99, each compared within itself. */
export function p99Ratio(one: Case, to: Case): number {
  return median(one.runs.map((run, round) => run.p99 / to.runs[round]!.p99));
}

export const CASE_COLUMNS = ['requests', 'p50 ms', 'p99 ms', 'failed', 'others'] as const;

export function caseLine({ name, runs, asked }: Case): string[] {
  const sum = (of: (run: LoadResult) => number) => runs.reduce((all, run) => all + of(run), 0);
  return [
    name,
    String(sum((run) => run.requests)),
    fixed(median(runs.map((run) => run.p50)) / 1000, 2),
    fixed(median(runs.map((run) => run.p99)) / 1000, 2),
    String(sum((run) => run.failures)),
    String(asked.reduce((all, count) => all + count, 0)),
  ];
}
