import type { Context } from 'hono';
import { JsonError, parseJson } from '../expression/index.ts';

/** A body that can't be read, or could be read in two ways; the message says where. */
export class UnreadableBody extends Error {}

/**
 * The JSON of a request's body; undefined where there is none. A member that stands twice is refused: one of the two
 * would be passed over in silence, and with it half of what was asked for.
 *
 * @throws UnreadableBody
 */
export async function jsonBody(c: Context): Promise<unknown> {
  const body = Buffer.from(await c.req.arrayBuffer());
  if (body.length === 0) return undefined;
  try {
    parseJson(body, { duplicates: 'reject', huge: 'infinity' });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new UnreadableBody(`The body can't be read as JSON: ${error.message}.`);
  }
  return JSON.parse(new TextDecoder().decode(body));
}
