import { COLLECTION_FUNCTIONS } from './collections.ts';
import { CONVERSIONS } from './conversions.ts';
import type { FunctionTable } from './function.ts';
import { TEXT_FUNCTIONS } from './texts.ts';
import { TIME_FUNCTIONS } from './time.ts';

/** Every function whose arguments are ordinary values. */
export const FUNCTIONS: FunctionTable = {
  ...CONVERSIONS,
  ...TEXT_FUNCTIONS,
  ...TIME_FUNCTIONS,
  ...COLLECTION_FUNCTIONS,
};
