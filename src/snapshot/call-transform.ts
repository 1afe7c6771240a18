import type { TransformConfig } from '../config/model.ts';
import type { Scope } from '../expression/index.ts';
import { compileTransform, type HeaderTransform } from '../pipeline/index.ts';

/**
 * What a service and a route change about the requests of a call: all but the headers that the call itself gives
 * a value, and `only`, which is about a client's headers, of which a call has none.
 */
export function compileCallTransform(
  service: TransformConfig,
  route: TransformConfig,
  own: readonly string[],
  scope: Scope,
): HeaderTransform | null {
  const names = new Set(own.map(dashed));
  const compiled = compileTransform(without(service, names), without(route, names), scope);
  if (names.size === 0) return compiled;
  const gives = new Set([...(compiled?.gives ?? []), ...own.map((name) => name.toLowerCase())]);
  return { gives, apply: (headers, vars) => compiled?.apply(headers, vars) };
}

function without({ headers, query }: TransformConfig, names: ReadonlySet<string>): TransformConfig {
  const left = <T>(values: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(values).filter(([name]) => !names.has(dashed(name))));
  return {
    headers: {
      set: left(headers.set),
      add: left(headers.add),
      default: left(headers.default),
      remove: headers.remove.filter((name) => !names.has(dashed(name))),
      only: null,
    },
    query,
  };
}

function dashed(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}
