import { doubleText, utf8Text } from './conversions.ts';
import { EvaluationFailure } from './failure.ts';
import type { Frame } from './frame.ts';
import { durationText, timestampText } from './time.ts';
import { typeName } from './types.ts';
import { Duration, Timestamp, Uint, type Value } from './value.ts';

/** What a text becomes part of, and so what is done with the values that are filled in. */
export type Target = 'text' | 'header' | 'html' | 'pathSegments' | 'queryValue' | 'authority' | 'scheme';

/** A value as text: integers in their digits, decimals without trailing zeros. Null, lists and maps have none. */
export function textOf(frame: Frame, value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return doubleText(value);
  if (value instanceof Uint) return value.value.toString();
  if (value instanceof Uint8Array) return utf8Text(frame, value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value);
  throw new EvaluationFailure(
    'type',
    value === null ? 'null can not be filled in' : `a ${typeName(value)} can not be filled into a text`,
  );
}

/** Makes a filled value safe for where it goes; fails where it can't be. */
export function encodeFor(target: Target, text: string): string {
  switch (target) {
    case 'text':
      return text;
    case 'header':
      return headerText(text);
    case 'html':
      return text.replace(/[&<>"']/g, (character) => HTML[character]!);
    case 'pathSegments':
    case 'queryValue':
      return percentEncoded(text);
    case 'authority':
    case 'scheme':
      return authorityPart(text);
  }
}

const HTML: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** One segment or one value: everything but RFC 3986's unreserved characters and !*'() is encoded, as UTF-8. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text.isWellFormed() ? text : text.toWellFormed());
}

/** Control characters would end the header, or hide in it. */
function headerText(text: string): string {
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(text))
    throw new EvaluationFailure('nul', 'a header can not hold CR, LF, NUL or other control characters');
  return text;
}

function authorityPart(text: string): string {
  if (!/^[A-Za-z0-9.-]+$/.test(text))
    throw new EvaluationFailure(
      'value',
      'only letters, digits, "." and "-" can be filled into a scheme, host or port',
    );
  return text;
}

const HOST = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** `host`, `host:port`, `[::1]:port`, and nothing else (no user, no underscore, no escapes). */
export function isAuthority(text: string): boolean {
  return HOST.test(text) && Number(/:(\d+)$/.exec(text)?.[1] ?? 0) <= 65535;
}
