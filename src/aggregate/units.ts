import { EvaluationFailure, LayeredVariables, type Value, type Variables } from '../expression/index.ts';
import type { CompiledCall } from './compiled.ts';
import { identityOf } from './question.ts';

/** What is asked at once: one request, for one item, or for the items of a batch. */
export interface Unit {
  readonly vars: Variables;
  readonly items: readonly Item[];
}

export interface Item {
  readonly value: Value;
  /** Equal for equal values. */
  readonly identity: string;
  readonly vars: Variables;
  /** Where its result stands. */
  readonly places: number[];
}

/** The one unit of a call without `each`. */
export function singleUnit(vars: Variables): Unit {
  return { vars, items: [{ value: null, identity: '', vars, places: [0] }] };
}

/** The items of a list, equal ones as one, in the order in which they stand first. */
export function distinctItems(list: readonly Value[], as: string, vars: Variables): Item[] {
  const items = new Map<string, Item>();
  list.forEach((value, place) => {
    const identity = safeIdentity(value, place);
    const known = items.get(identity);
    if (known !== undefined) known.places.push(place);
    else
      items.set(identity, {
        value,
        identity,
        vars: new LayeredVariables(vars, { [as]: value }),
        places: [place],
      });
  });
  return [...items.values()];
}

/** Cuts items into what is asked at once. */
export function unitsOf(items: readonly Item[], { config }: CompiledCall, vars: Variables): Unit[] {
  const batch = config.each?.batch ?? null;
  if (batch === null) return items.map((item) => ({ vars: item.vars, items: [item] }));
  const units: Unit[] = [];
  for (let at = 0; at < items.length; at += batch.size) {
    const some = items.slice(at, at + batch.size);
    units.push({ vars: new LayeredVariables(vars, { items: some.map(({ value }) => value) }), items: some });
  }
  return units;
}

/** What has no JSON (a NaN, say) is equal to nothing. */
function safeIdentity(value: Value, place: number): string {
  try {
    return identityOf(value);
  } catch (error) {
    if (error instanceof EvaluationFailure) return `#${place}`;
    throw error;
  }
}
