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

const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** Null: this is no signed token, whatever else it may be. A member that stands twice makes it none (RFC 8725 §2.4). */
export function readToken(text: string): Token | null {
  const first = text.indexOf('.');
  const second = text.indexOf('.', first + 1);
  if (first <= 0 || second < 0 || text.indexOf('.', second + 1) >= 0) return null;
  const header = readMembers(text.slice(0, first));
  if (header === null) return null;
  const claims = readMembers(text.slice(first + 1, second));
  const signature = decoded(text.slice(second + 1));
  if (claims === null || signature === null) return null;
  return { header, claims, signed: Buffer.from(text.slice(0, second), 'latin1'), signature };
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

/** One spelling alone: no padding, and no bits left over that could be anything (RFC 4648 §3.5). */
function decoded(part: string): Buffer | null {
  if (!BASE64URL.test(part)) return null;
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : null;
}
