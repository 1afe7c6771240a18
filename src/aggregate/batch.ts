import {
  asSpelt,
  EvaluationFailure,
  type Fields,
  hasMembers,
  LayeredVariables,
  type Program,
  type Value,
  type Variables,
} from '../expression/index.ts';
import type { CallPrograms } from './programs.ts';
import type { CallResult } from './result.ts';
import { type Trouble, trouble } from './trouble.ts';

type Batch = NonNullable<CallPrograms['batch']>;

/** The parts of a batch's answer by their keys as text; of several with one key the first counts. */
export function partsByKey(
  batch: Batch,
  vars: Variables,
  response: CallResult,
): Map<string, Value> | Trouble {
  try {
    const parts =
      batch.parts === null ? response.body : batch.parts.evaluate(new LayeredVariables(vars, { response }));
    if (Array.isArray(parts)) return ofList(batch, vars, parts);
    if (hasMembers(parts)) return ofMembers(parts);
    return parts === null ? new Map() : trouble('expression', 'parts is neither a list nor an object');
  } catch (error) {
    if (error instanceof EvaluationFailure) return trouble('expression', error.message);
    throw error;
  }
}

function ofList({ partKey }: Batch, vars: Variables, parts: readonly Value[]): Map<string, Value> | Trouble {
  if (partKey === null) return trouble('expression', 'parts is a list, and no partKey tells whose they are');
  const byKey = new Map<string, Value>();
  for (const part of parts) {
    const key = textOfKey(partKey, new LayeredVariables(vars, { part }));
    if (key !== null && !byKey.has(key)) byKey.set(key, part);
  }
  return byKey;
}

function ofMembers(parts: ReadonlyMap<Value, Value> | Fields): Map<string, Value> {
  const byKey = new Map<string, Value>();
  for (const [key, part] of parts.entries()) byKey.set(String(key), asSpelt(parts, key, part));
  return byKey;
}

/**
 * A key as text, so that `"42"` and 42 are one: items and parts often come from services that spell their ids
 * differently. Null: it has none.
 */
export function textOfKey(program: Program, vars: Variables): string | null {
  try {
    const key = program.evaluate(vars);
    if (typeof key === 'string') return key;
    return typeof key === 'bigint' || typeof key === 'number' || typeof key === 'boolean'
      ? String(key)
      : null;
  } catch (error) {
    if (error instanceof EvaluationFailure) return null;
    throw error;
  }
}
