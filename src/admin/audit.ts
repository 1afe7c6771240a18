import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { AdminConfig } from '../config/model.ts';
import type { Logger } from '../telemetry/index.ts';

/** How requests reach the admin API. */
export type Env = { Bindings: HttpBindings };

/**
 * Writes down who changed what, and what came of it.
 *
 * @param what A sentence without its end.
 * @param result In one word.
 */
export type Audit = (c: Context, what: string, result: string, fields?: object) => void;

/** One line of the gateway's log for each change: `by` is how they came in, `peer` where they are. */
export function auditTo(log: Logger, { token }: AdminConfig): Audit {
  return (c, what, result, fields = {}) =>
    log.info('audit', {
      what,
      result,
      ...fields,
      by: token === null ? 'loopback' : 'token',
      peer: (c.env as Partial<HttpBindings> | undefined)?.incoming?.socket.remoteAddress,
    });
}
