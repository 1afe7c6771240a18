import { JsonError, parseJson, type Value } from '../../expression/index.ts';

type Members = ReadonlyMap<Value, Value>;

/** A token in the compact serialisation (RFC 7515 §3.1), read but not yet believed. */
export interface Token {
  readonly header: Members;
  readonly claims: Members;
  /** What the signature is over. */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** Null: this is no signed token, whatever else it may be. A member that stands twice makes it none (RFC 8725 §2.4). */
export function readToken(text: string): Token | null {
  if (!COMPACT.test(text)) return null;
  const first = text.indexOf('.');
  const second = text.indexOf('.', first + 1);
  const header = readHeader(text.slice(0, first));
  if (header === null) return null;
  const claims = readMembers(text.slice(first + 1, second));
  const signature = decoded(text.slice(second + 1));
  if (claims === null || signature === null) return null;
  return { header, claims, signed: Buffer.from(text.slice(0, second), 'latin1'), signature };
}

/** Headers that were read: all tokens that a key has signed begin alike. */
const headers = new Map<string, Members>();
const MOST_HEADERS = 100;
const LONGEST_HEADER = 1000;

function readHeader(part: string): Members | null {
  const known = headers.get(part);
  if (known !== undefined) return known;
  const read = readMembers(part);
  if (read !== null && part.length <= LONGEST_HEADER) {
    if (headers.size >= MOST_HEADERS) headers.clear();
    headers.set(part, read);
  }
  return read;
}

function readMembers(part: string): Members | null {
  const bytes = decoded(part);
  if (bytes === null) return null;
  try {
    const value = parseJson(bytes, { duplicates: 'reject' });
    return value instanceof Map ? value : null;
  } catch (error) {
    if (error instanceof JsonError) return null;
    throw error;
  }
}

/** The last characters that leave no bits over, by the length of the last group (RFC 4648 §3.5). */
const FINAL: Readonly<Record<number, RegExp>> = { 2: /[AQgw]$/, 3: /[AEIMQUYcgkosw048]$/ };

/** One spelling alone: no padding, and no bits left over that could be anything. */
function decoded(part: string): Buffer | null {
  const over = part.length % 4;
  if (over === 1 || (over !== 0 && !FINAL[over]!.test(part))) return null;
  return Buffer.from(part, 'base64url');
}
