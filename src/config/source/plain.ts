import type { ConfigIssue } from '../model.ts';

type Path = (string | number)[];

export interface PlainValue {
  value: unknown;
  issues: ConfigIssue[];
}

const DEEPEST = 200;

/** A copy of what a program gave: keys whose value is undefined are as if they were not there. */
export function plainValue(given: unknown): PlainValue {
  const issues: ConfigIssue[] = [];
  const open = new Set<object>();

  function copy(value: unknown, path: Path): unknown {
    if (value === null || typeof value !== 'object' || !(Array.isArray(value) || isPlain(value)))
      return value;
    if (open.has(value) || path.length > DEEPEST) {
      const message = open.has(value) ? 'this contains itself' : 'this is nested too deeply';
      issues.push({ code: 'TG_CONFIG_TYPE', severity: 'error', path, message });
      return null;
    }
    open.add(value);
    const copied = Array.isArray(value)
      ? value.map((item, index) => copy(item, [...path, index]))
      : members(value, path);
    open.delete(value);
    return copied;
  }

  function members(value: object, path: Path): Record<string, unknown> {
    const copied: Record<string, unknown> = Object.create(null);
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined) copied[key] = copy(item, [...path, key]);
    }
    return copied;
  }

  return { value: copy(given, []), issues };
}

/** An object literal, of this realm or another; not a Date, a Map or an instance of a class. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}
