import type { Template, TransformConfig } from '../config/model.ts';
import type { Scope, Variables } from '../expression/index.ts';
import { type Headers, removeLines } from '../http/headers.ts';
import { compileHeaders, type HeaderLines } from './header-lines.ts';

export { isReservedHeader } from '../http/reserved-headers.ts';
export { filterQuery } from './query.ts';

/**
 * What a configuration changes about the headers of a message. Always in this order, whatever the order in
 * the file: `only`, `remove`, `set`, `add`, `default`. Expressions see the message as it was before.
 */
export interface HeaderTransform {
  /** Lower-case names that it gives a value or removes: what the gateway would say of itself in them steps back. */
  readonly gives: ReadonlySet<string>;
  /**
   * Changes `headers` in place.
   *
   * @param own The message is the gateway's own (a problem, say): `only` takes nothing from it.
   */
  apply(headers: Headers, vars: Variables, own?: boolean): void;
}

/**
 * Compiles the transform of a route over that of its service. Both hold, name by name: what the route says
 * of a header replaces all that the service says of it. Null where neither says anything.
 *
 * @throws ExpressionError
 */
export function compileTransform(
  service: TransformConfig | null,
  route: TransformConfig,
  scope: Scope,
): HeaderTransform | null {
  const merged = service === null ? route.headers : merge(service.headers, route.headers);
  const set = compileHeaders(merged.set, scope);
  const add = compileHeaders(merged.add, scope);
  const absent = compileHeaders(merged.default, scope);
  const gone = [...merged.remove, ...Object.keys(merged.set)].map(dashed);
  const only = merged.only === null ? null : new Set(merged.only.map((name) => name.toLowerCase()));
  if (only === null && gone.length === 0 && add.length === 0 && absent.length === 0) return null;
  const given = [...set, ...add, ...absent].map((lines) => lines.name);
  const gives = new Set([...given, ...merged.remove].map((name) => name.toLowerCase()));
  return {
    gives,
    apply(headers, vars, own = false) {
      // All values are taken before the first header goes: a template may read one that is removed.
      const setLines = evaluate(set, vars);
      const addLines = evaluate(add, vars);
      const absentLines = evaluate(absent, vars);
      if (only !== null && !own) keepOnly(headers, only);
      if (gone.length > 0) removeAll(headers, gone);
      append(headers, set, setLines);
      append(headers, add, addLines);
      appendAbsent(headers, absent, absentLines);
    },
  };
}

/** Compiles `request.query.only`; null where all parameters pass. The route's list replaces the service's. */
export function compileQueryOnly(
  service: TransformConfig | null,
  route: TransformConfig,
): ReadonlySet<string> | null {
  const only = route.query.only ?? service?.query.only ?? null;
  return only === null ? null : new Set(only);
}

type HeaderConfig = TransformConfig['headers'];
type Templates = Record<string, Template | Template[]>;

function merge(service: HeaderConfig, route: HeaderConfig): HeaderConfig {
  const said = new Set(
    [
      ...Object.keys(route.set),
      ...Object.keys(route.add),
      ...Object.keys(route.default),
      ...route.remove,
    ].map(dashed),
  );
  const unsaid = (templates: Templates) =>
    Object.entries(templates).filter(([name]) => !said.has(dashed(name)));
  const over = (below: Templates, above: Templates): Templates =>
    Object.fromEntries([...unsaid(below), ...Object.entries(above)]);
  return {
    set: over(service.set, route.set),
    add: over(service.add, route.add),
    default: over(service.default, route.default),
    remove: [...service.remove.filter((name) => !said.has(dashed(name))), ...route.remove],
    only: route.only ?? service.only,
  };
}

function evaluate(headers: readonly HeaderLines[], vars: Variables): (readonly string[])[] {
  const lines: (readonly string[])[] = [];
  for (const header of headers) lines.push(header.constant ?? header.values(vars));
  return lines;
}

function append(headers: Headers, added: readonly HeaderLines[], lines: (readonly string[])[]): void {
  for (let i = 0; i < added.length; i++) push(headers, added[i]!.name, lines[i]!);
}

function appendAbsent(headers: Headers, added: readonly HeaderLines[], lines: (readonly string[])[]): void {
  for (let i = 0; i < added.length; i++) {
    const { name } = added[i]!;
    if (!holds(headers, name)) push(headers, name, lines[i]!);
  }
}

function push(headers: Headers, name: string, values: readonly string[]): void {
  for (const value of values) headers.push(name, value);
}

function holds(headers: Headers, name: string): boolean {
  const lower = name.toLowerCase();
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.length === lower.length && headers[i]!.toLowerCase() === lower) return true;
  }
  return false;
}

/**
 * `only` is about what the other side says to whoever reads it, never about the message itself: what frames
 * it, how its content is coded, the handshake of an upgrade, and what the gateway itself says of the hop.
 */
const ALWAYS: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-encoding',
  'content-range',
  'connection',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'date',
  'age',
  'via',
  'forwarded',
  'x-real-ip',
  'x-request-id',
  'traceparent',
  'tracestate',
  'cache-status',
  'x-auth-subject',
  'x-auth-permissions',
]);

function keepOnly(headers: Headers, only: ReadonlySet<string>): void {
  removeLines(headers, (name) => {
    const lower = name.toLowerCase();
    return !only.has(lower) && !isAlways(lower);
  });
}

function isAlways(lower: string): boolean {
  return ALWAYS.has(lower) || lower.startsWith('x-forwarded-') || lower.startsWith('sec-websocket-');
}

function removeAll(headers: Headers, names: readonly string[]): void {
  removeLines(headers, (name) => isOneOf(name, names));
}

function isOneOf(name: string, names: readonly string[]): boolean {
  for (const one of names) {
    if (name.length === one.length && sameField(name, one)) return true;
  }
  return false;
}

/**
 * The same header for a service that reads `_` as `-`, as CGI and its kin do? `X_User` must not bring in what
 * `set: { x-user }` or `remove: [x-user]` keeps out.
 */
function sameField(name: string, lowerDashed: string): boolean {
  for (let i = 0; i < lowerDashed.length; i++) {
    let code = name.charCodeAt(i);
    if (code >= 65 && code <= 90) code |= 32;
    else if (code === 95) code = 45;
    if (code !== lowerDashed.charCodeAt(i)) return false;
  }
  return true;
}

function dashed(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}
