import { isUtf8 } from 'node:buffer';

/*
 * Headers hold one character for each byte that came (RFC 9110 §5.5: bytes above 0x7f are opaque). What people
 * write into them is UTF-8, and so is what the gateway writes.
 */

/** What the bytes of a field's value say as UTF-8; null where they are none. */
export function utf8OfField(value: string): string | null {
  if (!/[\x80-\xff]/.test(value) || /[^\x00-\xff]/.test(value)) return value;
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : null;
}

/** What a field's value says; as ISO-8859-1, which it once was by definition, where it is no UTF-8. */
export function fieldText(value: string): string {
  return utf8OfField(value) ?? value;
}

/** A text as a field carries it. */
export function fieldBytes(text: string): string {
  return /[^\x00-\x7f]/.test(text) ? Buffer.from(text).toString('latin1') : text;
}
