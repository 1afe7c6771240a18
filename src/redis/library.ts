import { hash } from 'node:crypto';
import type { RedisLibrary } from './contract.ts';

/**
 * Functions for Redis under a name that changes with their code, so that gateways of several versions may use one
 * Redis.
 *
 * @param prefix Begins the name.
 * @param code Lua that registers its functions as `NAME_…`.
 */
export function redisLibrary(prefix: string, code: string): RedisLibrary {
  const name = `${prefix}_${hash('sha256', code, 'hex').slice(0, 12)}`;
  return { name, code: `#!lua name=${name}\n${code.replaceAll('NAME_', `${name}_`)}` };
}
