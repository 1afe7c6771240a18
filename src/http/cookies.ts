import { type Headers, sameName, trimOws } from './headers.ts';

/** The first value of a cookie (RFC 6265 §5.4, quotes taken off); undefined where the client sent none of that name. */
export function cookieValue(headers: Headers, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    if (!sameName(headers[i]!, 'cookie')) continue;
    for (const pair of headers[i + 1]!.split(';')) {
      const equals = pair.indexOf('=');
      if (equals < 0 || trimOws(pair.slice(0, equals)) !== name) continue;
      return unquoted(trimOws(pair.slice(equals + 1)));
    }
  }
  return undefined;
}

/** A cookie's value without the quotes it may stand in. */
export function unquoted(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

/** Leaves the cookies whose names are wanted; a line without any goes. In place. */
export function filterCookies(headers: Headers, wanted: (name: string) => boolean): void {
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    let value = headers[i + 1]!;
    if (sameName(name, 'cookie')) {
      value = pairsOf(value, wanted);
      if (value === '') continue;
    }
    headers[kept] = name;
    headers[kept + 1] = value;
    kept += 2;
  }
  headers.length = kept;
}

/** Is there any cookie but those of these names? */
export function hasCookieBeside(headers: Headers, names: readonly string[]): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (!sameName(headers[i]!, 'cookie')) continue;
    if (names.length === 0) return true;
    for (const pair of headers[i + 1]!.split(';')) {
      const name = trimOws(pair.split('=', 1)[0]!);
      if (pair.trim() !== '' && !names.includes(name)) return true;
    }
  }
  return false;
}

function pairsOf(line: string, wanted: (name: string) => boolean): string {
  return line
    .split(';')
    .map(trimOws)
    .filter((pair) => pair !== '' && wanted(trimOws(pair.split('=', 1)[0]!)))
    .join('; ');
}
