import type { Filter } from '../pipeline/index.ts';
import { removeLike } from './places.ts';

/** By which a client asks a service for another path or method than the one that was guarded. */
const OVERRIDES = [
  'x-original-url',
  'x-rewrite-url',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
];

/**
 * Where some routes are guarded, what was matched must be what the service does: on an open route these
 * headers would lead to what a guarded one stands for.
 */
export const dropOverrides: Filter = {
  phase: 'admit',
  run(exchange) {
    const { headers } = exchange;
    for (let i = 0; i < headers.length; i += 2) {
      const first = headers[i]!.charCodeAt(0) | 32;
      if (first !== 0x78 || !OVERRIDES.includes(headers[i]!.toLowerCase().replaceAll('_', '-'))) continue;
      for (const name of OVERRIDES) removeLike(headers, name);
      return null;
    }
    return null;
  },
};
