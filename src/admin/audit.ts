import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { AdminConfig } from '../config/model.ts';
import type { Logger } from '../telemetry/index.ts';

/** How requests reach the admin API, and where from: the socket of one that has left no longer tells. */
export type Env = { Bindings: HttpBindings; Variables: { peer: string | undefined } };

/**
 * Writes down who changed what, and what came of it.
 *
 * @param what A sentence without its end.
 * @param result In a word or two.
 * @param fields What else is to be known; without secrets.
 */
export type Audit = (c: Context, what: string, result: string, fields?: object) => void;

/** One line of the gateway's log for each change: `by` is how they came in, `peer` where they are. */
export function auditTo(log: Logger, { token }: AdminConfig): Audit {
  const by = token === null ? 'loopback' : 'token';
  return (c, what, result, fields = {}) =>
    log.info('audit', { what, result, by, ...fields, peer: (c as Context<Env>).get('peer') });
}
