import type { Exchange } from '../../http/exchange.ts';

/** Methods that change nothing are answered without a further look (RFC 9110 §9.2.1). */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY']);

/**
 * May it change something?
 *
 * @param harmless Methods of its route that change nothing: it keeps their answers.
 */
export function isUnsafe({ method, upgrade }: Exchange, harmless: readonly string[]): boolean {
  return !SAFE.has(method) && !harmless.includes(method) && upgrade === null;
}
