/**
 * Header fields as they stand in a message: `[name, value, name, value, …]`, in the order and spelling
 * received. Names are compared without case; values are already free of surrounding white space,
 * CR, LF and NUL.
 */
export type Headers = string[];

/** Is `name`, in any case, the lower-case `lower`? Compares without making a string. */
export function sameName(name: string, lower: string): boolean {
  const length = lower.length;
  if (name.length !== length) return false;
  if (name === lower) return true;
  for (let i = 0; i < length; i++) {
    let code = name.charCodeAt(i);
    if (code >= 65 && code <= 90) code |= 32;
    if (code !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** The first value of a header, or undefined. */
export function getHeader(headers: Headers, lower: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    if (sameName(headers[i]!, lower)) return headers[i + 1];
  }
  return undefined;
}

/** Every value of a header, in order. */
export function getHeaders(headers: Headers, lower: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (sameName(headers[i]!, lower)) values.push(headers[i + 1]!);
  }
  return values;
}

/** All lines of a list-valued header joined as RFC 9110 §5.3 allows, or undefined where there is none. */
export function getJoined(headers: Headers, lower: string): string | undefined {
  let joined: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    if (sameName(headers[i]!, lower))
      joined = joined === undefined ? headers[i + 1]! : `${joined}, ${headers[i + 1]!}`;
  }
  return joined;
}

export function hasHeader(headers: Headers, lower: string): boolean {
  return getHeader(headers, lower) !== undefined;
}

/** Takes away every line of a header. In place. */
export function removeHeader(headers: Headers, lower: string): void {
  removeLines(headers, (name) => sameName(name, lower));
}

/** Takes away the lines whose name is unwanted. In place. */
export function removeLines(headers: Headers, unwanted: (name: string) => boolean): void {
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    if (unwanted(name)) continue;
    headers[kept] = name;
    headers[kept + 1] = headers[i + 1]!;
    kept += 2;
  }
  headers.length = kept;
}

/** Leaves exactly one line of a header. In place. */
export function setHeader(headers: Headers, name: string, value: string): void {
  removeHeader(headers, name.toLowerCase());
  headers.push(name, value);
}

/** May this text be a header's value (RFC 9110 §5.5)? Bytes above 0x7f are opaque, one byte a character. */
export function isHeaderValue(value: string): boolean {
  return !/[^\t\x20-\x7e\x80-\xff]/.test(value) && !/^[\t ]|[\t ]$/.test(value);
}

/** Is this text a token (RFC 9110 §5.6.2): a method, a header's name? */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
}

/** Without the white space that may surround a value or a list's member (OWS, RFC 9110 §5.6.3); `trim` takes more, 0xA0 among it. */
export function trimOws(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isOws(text.charCodeAt(from))) from++;
  while (to > from && isOws(text.charCodeAt(to - 1))) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
