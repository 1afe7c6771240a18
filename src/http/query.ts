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
    if (parameterName(parameter) === name && parameter !== '')
      return equals < 0 ? '' : decodeQueryText(parameter.slice(equals + 1));
  }
  return undefined;
}

/** The decoded name of a parameter: what stands before its `=`. */
export function parameterName(parameter: string): string {
  const equals = parameter.indexOf('=');
  return decodeQueryText(equals < 0 ? parameter : parameter.slice(0, equals));
}

/**
 * The query with the parameters alone whose decoded names are wanted, byte for byte as they stand; null where none is
 * left. Walks it in place: no list of its parts is made, and one that stays whole is given back as it is.
 */
export function keepParameters(query: string, wanted: (name: string) => boolean): string | null {
  let kept: string | null = null;
  let whole = true;
  let start = 0;
  while (start <= query.length) {
    const ampersand = query.indexOf('&', start);
    const end = ampersand < 0 ? query.length : ampersand;
    const parameter = query.slice(start, end);
    if (wanted(parameterName(parameter))) kept = kept === null ? parameter : `${kept}&${parameter}`;
    else whole = false;
    start = end + 1;
  }
  return whole ? query : kept;
}
