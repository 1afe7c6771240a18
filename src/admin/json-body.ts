import { isUtf8 } from 'node:buffer';
import type { Context } from 'hono';
import { JsonError, parseJson } from '../expression/index.ts';

/** A body that can't be read, or could be read in two ways; the message says where. */
export class UnreadableBody extends Error {}

/** The text of a body, for whoever reads it by itself; null: it is none. */
export async function textBody(c: Context): Promise<string | null> {
  const bytes = Buffer.from(await c.req.arrayBuffer());
  return isUtf8(bytes) ? new TextDecoder().decode(bytes) : null;
}

/**
 * The JSON of a request's body; undefined where there is none. A member that stands twice is refused: one of the two
 * would be passed over in silence, and with it half of what was asked for.
 *
 * @throws UnreadableBody
 */
export async function jsonBody(c: Context): Promise<unknown> {
  const text = await textBody(c);
  if (text === null) throw new UnreadableBody('The body is not UTF-8 text.');
  if (text === '') return undefined;
  try {
    parseJson(text, { duplicates: 'reject', huge: 'infinity' });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new UnreadableBody(`The body can't be read as JSON: ${error.message}.`);
  }
  return JSON.parse(text);
}
