import { jsonSchema } from '../config/index.ts';
import { printJson } from './output.ts';
import { EXIT } from './usage.ts';

/** `tidegate schema`: the JSON Schema of configs. Gives the exit code. */
export function schema(): number {
  printJson(jsonSchema());
  return EXIT.ok;
}
