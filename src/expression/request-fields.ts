import { unquoted } from '../http/cookies.ts';
import { fieldText, utf8OfField } from '../http/field-text.ts';
import { getHeaders, type Headers, sameName, trimOws } from '../http/headers.ts';
import { decodeQueryText } from '../http/query.ts';
import { EvaluationFailure } from './failure.ts';
import type { Fields, Value } from './value.ts';

/**
 * Headers by their names in lower case: several lines joined by `, `, `set-cookie` always a list.
 * Strict: reading one that stands twice fails, and so does one that is no UTF-8: it might read like another.
 */
export class HeaderFields implements Fields {
  private readonly headers: Headers;
  private readonly strict: boolean;

  constructor(headers: Headers, strict: boolean) {
    this.headers = headers;
    this.strict = strict;
  }

  get(name: string): Value | undefined {
    if (name === 'set-cookie') {
      const lines = getHeaders(this.headers, name);
      return lines.length === 0 ? undefined : lines.map(fieldText);
    }
    const { headers, strict } = this;
    let joined: string | undefined;
    for (let i = 0; i < headers.length; i += 2) {
      if (!sameName(headers[i]!, name)) continue;
      if (joined === undefined) joined = headers[i + 1]!;
      else if (strict) throw standsTwice('header', name);
      else joined += `, ${headers[i + 1]!}`;
    }
    return joined === undefined ? undefined : textOf(joined, strict, 'header', name);
  }

  *entries(): Iterable<[string, Value]> {
    const names = new Set<string>();
    for (let i = 0; i < this.headers.length; i += 2) names.add(this.headers[i]!.toLowerCase());
    for (const name of names) yield [name, this.get(name)!];
  }
}

function textOf(value: string, strict: boolean, what: string, name: string): string {
  if (!strict) return fieldText(value);
  const text = utf8OfField(value);
  if (text === null) throw new EvaluationFailure('value', `the ${what} "${name}" is not UTF-8`, 'request');
  return text;
}

/** The first of each name's values. Strict: reading one that has several fails. */
export class FirstValues implements Fields {
  private readonly values: ReadonlyMap<Value, Value>;
  private readonly strict: boolean;
  private readonly what: 'query parameter' | 'cookie';

  constructor(values: ReadonlyMap<Value, Value>, strict: boolean, what: 'query parameter' | 'cookie') {
    this.values = values;
    this.strict = strict;
    this.what = what;
  }

  get(name: string): Value | undefined {
    const all = this.values.get(name) as readonly string[] | undefined;
    if (all === undefined) return undefined;
    if (this.strict && all.length > 1) throw standsTwice(this.what, name);
    const [first] = all as readonly [string];
    return this.what === 'cookie' ? textOf(first, this.strict, this.what, name) : first;
  }

  *entries(): Iterable<[string, Value]> {
    for (const name of this.values.keys()) yield [name as string, this.get(name as string)!];
  }
}

function standsTwice(what: string, name: string): EvaluationFailure {
  return new EvaluationFailure('value', `the ${what} "${name}" stands twice in the request`, 'request');
}

/** The parameters of a query (without its `?`), decoded, each name with all its values in order. */
export function readQuery(query: string | null): Map<string, string[]> {
  const parameters = new Map<string, string[]>();
  if (query === null || query === '') return parameters;
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decodeQueryText(equals < 0 ? pair : pair.slice(0, equals));
    add(parameters, name, equals < 0 ? '' : decodeQueryText(pair.slice(equals + 1)));
  }
  return parameters;
}

/** All cookies of a request (RFC 6265 §5.4), quotes taken off, each name with all its values in order. */
export function readCookies(headers: Headers): Map<string, string[]> {
  const cookies = new Map<string, string[]>();
  for (const line of getHeaders(headers, 'cookie')) {
    for (const pair of line.split(';')) {
      const equals = pair.indexOf('=');
      if (equals >= 0)
        add(cookies, trimOws(pair.slice(0, equals)), unquoted(trimOws(pair.slice(equals + 1))));
    }
  }
  return cookies;
}

function add(values: Map<string, string[]>, name: string, value: string): void {
  const all = values.get(name);
  if (all === undefined) values.set(name, [value]);
  else all.push(value);
}
