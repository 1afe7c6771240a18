import * as z from 'zod';
import { config } from './config.ts';
import { notesOf } from './kit.ts';

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
      if (leaf !== undefined) Object.assign(jsonSchema, leaf.json);
      if (key !== undefined) delete jsonSchema.propertyNames;
      if (ignore !== undefined) jsonSchema.patternProperties = { '^x-': {} };
    },
  });
  return { ...schema, title: 'Tidegate', description: 'Configuration of the Tidegate API gateway.' };
}
