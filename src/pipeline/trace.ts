import type { Random } from '../util/random.ts';

const DASH = 45;
const ZERO = 48;
/** `00-<32>-<16>-<2>`: the length of version 00, and of what every later version begins with. */
const LENGTH = 55;

/**
 * Is this a traceparent that may be carried on (W3C Trace Context, §3.2)? Lower-case hex alone; version `ff`
 * and ids of nothing but zeros are invalid; a version above `00` may go on after a further dash.
 */
export function isTraceparent(value: string): boolean {
  const length = value.length;
  if (length < LENGTH) return false;
  if (value.charCodeAt(2) !== DASH || value.charCodeAt(35) !== DASH || value.charCodeAt(52) !== DASH)
    return false;
  if (!isHex(value, 0, 2) || !isHex(value, 3, 35) || !isHex(value, 36, 52) || !isHex(value, 53, 55))
    return false;
  if (isZero(value, 3, 35) || isZero(value, 36, 52)) return false;
  if (value.charCodeAt(0) === ZERO && value.charCodeAt(1) === ZERO) return length === LENGTH;
  if (value.startsWith('ff')) return false;
  return length === LENGTH || value.charCodeAt(LENGTH) === DASH;
}

/**
 * A traceparent that begins a new trace. Where it takes the place of an invalid one, `tracestate` is dropped,
 * because it belongs to a trace that isn't there (§3.3).
 */
export function newTraceparent(random: Random, sampled = false): string {
  return `00-${random.hex(16)}-${random.hex(8)}-${sampled ? '01' : '00'}`;
}

/** Is this a request id that is kept: 1 to 128 visible ASCII characters? */
export function isRequestId(value: string): boolean {
  const length = value.length;
  if (length === 0 || length > 128) return false;
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x21 || code > 0x7e) return false;
  }
  return true;
}

function isHex(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    if (code >= 48 && code <= 57) continue;
    if (code < 97 || code > 102) return false;
  }
  return true;
}

function isZero(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    if (text.charCodeAt(i) !== ZERO) return false;
  }
  return true;
}
