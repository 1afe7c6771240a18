import * as z from 'zod';
import { config } from './config.ts';
import { notesOf } from './kit.ts';
import { FILLED } from './values.ts';

/** The JSON Schema of what a user may write, from the same source as its validation and its types. */
export function jsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(config, {
    io: 'input',
    unrepresentable: 'any',
    // What editors know best, and what shows the description beside every key.
    target: 'draft-7',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => {
      const { leaf, ignore, key } = notesOf(zodSchema);
      if (leaf !== undefined) Object.assign(jsonSchema, orFilled(leaf.json));
      if (key !== undefined) delete jsonSchema.propertyNames;
      if (ignore !== undefined) jsonSchema.patternProperties = { '^x-': {} };
    },
  });
  return { ...schema, title: 'Tidegate', description: 'Configuration of the Tidegate API gateway.' };
}

type Json = Record<string, unknown>;

/** In a file, `${…}` may stand wherever an editor would expect a word, or a text of a certain look. */
function orFilled(json: Json): Json {
  const filled = { type: 'string', pattern: FILLED };
  if (Array.isArray(json.anyOf)) return { ...json, anyOf: (json.anyOf as Json[]).map(orFilled) };
  if (Array.isArray(json.enum)) return { anyOf: [json, filled] };
  if (typeof json.pattern !== 'string' || json.pattern === FILLED) return json;
  return { ...json, pattern: `${json.pattern}|${FILLED}` };
}
