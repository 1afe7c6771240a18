import { percentDecoded } from './percent.ts';

/** A piece of a query as text: `+` is a space, percent-encoding is decoded, what can't be decoded stays as it is. */
export function decodeQueryText(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  return spaced.includes('%') ? percentDecoded(spaced) : spaced;
}

/** The first value of a parameter, decoded; undefined where the query has none of that name. */
export function queryValue(query: string | null, name: string): string | undefined {
  if (query === null) return undefined;
  for (const parameter of query.split('&')) {
    const equals = parameter.indexOf('=');
    const key = equals < 0 ? parameter : parameter.slice(0, equals);
    if (decodeQueryText(key) === name && parameter !== '')
      return equals < 0 ? '' : decodeQueryText(parameter.slice(equals + 1));
  }
  return undefined;
}
