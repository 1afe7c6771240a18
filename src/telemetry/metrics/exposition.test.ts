import { expect, it } from 'vitest';
import { formatFor } from './exposition.ts';

it.each([
  [undefined, 'prometheus'],
  ['*/*', 'prometheus'],
  ['text/plain;version=0.0.4', 'prometheus'],
  ['Application/OpenMetrics-Text; version=1.0.0', 'openmetrics'],
  ['application/openmetrics-text;q=0', 'prometheus'],
  ['text/plain;version=0.0.4;q=0.9, application/openmetrics-text;q=0.1', 'prometheus'],
  // Prometheus itself.
  [
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.2,*/*;q=0.1',
    'openmetrics',
  ],
] as const)('Accept %s gets %s', (accept, format) => {
  expect(formatFor(accept)).toBe(format);
});
