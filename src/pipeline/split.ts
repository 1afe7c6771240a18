import { type Choice, RoundRobin } from '../upstream/index.ts';
import type { Affinity } from './affinity.ts';
import type { Dispatch } from './route.ts';

/** One of the ways that a weighted route may take. */
export interface Branch {
  /** Among the branches of its route; stable while the config names the same. */
  readonly name: string;
  readonly weight: number;
  readonly dispatch: Dispatch;
}

const BY_WEIGHT: Choice<Branch> = { fits: () => true, weight: (branch) => branch.weight, load: () => 0 };

/** By weight, in smooth turns; with an affinity a client that has a side stays there while it has any weight. */
export function compileSplit(branches: readonly Branch[], affinity: Affinity | null): Dispatch {
  if (branches.length === 1) return branches[0]!.dispatch;
  const weighted = branches.filter(({ weight }) => weight > 0);
  const turns = new RoundRobin(weighted);
  const next = () => turns.pick(BY_WEIGHT)!;
  if (affinity === null) return (exchange, finish) => next().dispatch(exchange, finish);
  const byName = new Map(weighted.map((branch) => [branch.name, branch]));
  return (exchange, finish) => {
    const given = byName.get(affinity.read(exchange.headers) ?? '');
    if (given !== undefined) return given.dispatch(exchange, finish);
    const branch = next();
    exchange.setCookie(affinity.line(branch.name, exchange));
    branch.dispatch(exchange, finish);
  };
}
