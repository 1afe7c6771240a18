import { type Value, Verbatim } from './value.ts';

/**
 * How numbers from JSON were spelt that a double does not give back (`1.0`, `19.90`, more digits than it holds), by the
 * object or list in which they stand. For reckoning they are the doubles that they were read as.
 */
const spellings = new WeakMap<object, Map<Value, string>>();

/** Null: it is a number like any other. */
export function noteSpelling(holder: object, at: Value, spelling: string | null): void {
  const noted = spellings.get(holder);
  if (spelling === null) noted?.delete(at);
  else if (noted === undefined) spellings.set(holder, new Map([[at, spelling]]));
  else noted.set(at, spelling);
}

/** A member or item of `holder` for whoever passes it on: a number as it was spelt, anything else as it is. */
export function asSpelt(holder: Value, at: Value, value: Value): Value {
  if (typeof value !== 'number') return value;
  const spelling = spellings.get(holder as object)?.get(at);
  return spelling === undefined ? value : new Verbatim(Buffer.from(spelling));
}

/** `to` has taken this member over from `from`. */
export function takeSpelling(from: object, to: object, at: Value, value: Value): void {
  if (typeof value === 'number') noteSpelling(to, at, spellings.get(from)?.get(at) ?? null);
}
