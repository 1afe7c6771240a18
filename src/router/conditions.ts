import type { MatchConfig, ValueMatch } from '../config/model.ts';
import { NO_PARAMS, type Params } from '../http/exchange.ts';
import { type AddressSet, compileAddresses } from '../util/cidr.ts';
import { compilePattern, type Pattern } from '../util/pattern.ts';
import { type Capture, readParams } from './params.ts';
import type { RouteSubject } from './subject.ts';

/** The compiled `when` of a match; false where it fails, never thrown. `params` reads what the path captures. */
export type When = (subject: RouteSubject, params: () => Params) => boolean;

/** What a route asks of a request beside listener, host, path and method. Null: nothing of that kind. */
export interface Conditions {
  readonly headers: readonly ValueCondition[] | null;
  readonly query: readonly ValueCondition[] | null;
  readonly cookies: readonly ValueCondition[] | null;
  readonly ip: AddressSet | null;
  readonly when: When | null;
}

export interface ValueCondition {
  /** Of a header in lower case. */
  readonly name: string;
  readonly test: ValueTest;
}

export type ValueTest =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'regex'; readonly pattern: Pattern }
  | { readonly kind: 'present' }
  | { readonly kind: 'absent' };

/** Null where the route asks nothing more. */
export function compileConditions(match: MatchConfig, when: When | null): Conditions | null {
  const headers = compileValues(match.headers, (name) => name.toLowerCase());
  const query = compileValues(match.query);
  const cookies = compileValues(match.cookies);
  const ip = match.ip.length > 0 ? compileAddresses(match.ip) : null;
  if (headers === null && query === null && cookies === null && ip === null && when === null) return null;
  return { headers, query, cookies, ip, when };
}

function compileValues(
  values: Record<string, ValueMatch>,
  spell = (name: string) => name,
): ValueCondition[] | null {
  const entries = Object.entries(values);
  if (entries.length === 0) return null;
  return entries.map(([name, value]) => ({ name: spell(name), test: compileValue(value) }));
}

function compileValue(value: ValueMatch): ValueTest {
  if (value === true) return { kind: 'present' };
  if (value === false) return { kind: 'absent' };
  return value.startsWith('~')
    ? { kind: 'regex', pattern: compilePattern(value.slice(1)) }
    : { kind: 'exact', value };
}

/** Does a value, undefined where there is none, pass? */
export function passes(test: ValueTest, value: string | undefined): boolean {
  if (value === undefined) return test.kind === 'absent';
  if (test.kind === 'exact') return value === test.value;
  if (test.kind === 'regex') return test.pattern.matches(value);
  return test.kind === 'present';
}

function headerPasses(name: string, test: ValueTest, subject: RouteSubject): boolean {
  if (subject.assumes?.(name)) return test.kind !== 'absent';
  return passes(test, subject.header(name));
}

/** Do all conditions hold, for the path of which these captures are? */
export function conditionsHold(
  { headers, query, cookies, ip, when }: Conditions,
  subject: RouteSubject,
  captures: readonly Capture[] | null,
): boolean {
  if (headers !== null) {
    for (const { name, test } of headers) if (!headerPasses(name, test, subject)) return false;
  }
  if (query !== null) {
    for (const { name, test } of query) if (!passes(test, subject.queryValue(name))) return false;
  }
  if (cookies !== null) {
    for (const { name, test } of cookies) if (!passes(test, subject.cookie(name))) return false;
  }
  if (ip !== null && !ip.has(subject.ip)) return false;
  return when === null || when(subject, () => paramsOf(captures, subject.path));
}

function paramsOf(captures: readonly Capture[] | null, path: string): Params {
  return captures === null ? NO_PARAMS : readParams(captures, path);
}

/** A route for GET also takes HEAD. An empty list takes every method. */
export function methodFits(methods: readonly string[], method: string): boolean {
  if (methods.length === 0 || methods.includes(method)) return true;
  return method === 'HEAD' && methods.includes('GET');
}
