import { hash } from 'node:crypto';
import {
  EvaluationFailure,
  type Program,
  readsPartOf,
  toJson,
  type Value,
  type Variables,
} from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import { addressKey } from './address-key.ts';

/** Longer values count by their hash, in bytes. */
const LONGEST = 256;

/** As JSON: nothing, no bytes, a list or a map of nothing. */
const EMPTY: ReadonlySet<string> = new Set(['null', '""', '[]', '{}']);

/** Gives by what a request is counted. */
export type KeyOf = (exchange: Exchange, strict: Variables) => string;

export const byAddress: KeyOf = (exchange) => `ip ${addressKey(exchange.ip)}`;

/** By the value of an expression; where it fails or is empty, by the client's address. */
export function byValue(program: Program): KeyOf {
  const namesAuth = readsPartOf(program.mentions, 'auth');
  return (exchange, strict) => {
    const value = countedBy(program, strict);
    if (value === null) return byAddress(exchange, strict);
    // Two providers may know two people by one name.
    const { provider } = (exchange.identity ?? {}) as { readonly provider?: string };
    return namesAuth && provider !== undefined ? `of ${provider} ${value}` : `= ${value}`;
  };
}

function countedBy(program: Program, strict: Variables): string | null {
  let value: Value;
  try {
    value = program.evaluate(strict);
    const text = typeof value === 'string' ? value : toJson(value);
    if (typeof value === 'string' ? value === '' : EMPTY.has(text)) return null;
    return Buffer.byteLength(text) > LONGEST ? `# ${hash('sha256', text, 'base64url')}` : text;
  } catch (error) {
    if (error instanceof EvaluationFailure) return null;
    throw error;
  }
}
