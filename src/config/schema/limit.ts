import { rateError } from '../../util/rate.ts';
import { type Kind, leaf, object, oneOf, oneOrMore } from './kit.ts';
import { boolean, expression, integer, name, none } from './values.ts';
import type { RequestVariables } from './variables.ts';

const kinds: readonly Kind[] = ['text', 'number', 'function'];

/** A rate, or a template that makes one. */
const rate = leaf<string | ((variables: RequestVariables) => unknown)>(
  'a rate such as 100/s or 5/15m, or a template that makes one',
  kinds,
  (value) => (typeof value === 'function' || String(value).includes('{') ? null : rateError(String(value))),
  { type: 'string' },
);

const limit = object(
  'Limit',
  'limit',
  {
    rate: rate.describe(
      'So many requests in so long a time: 100/s, 5/15m; or a template that makes such a text.',
    ),
    burst: integer(1, 1_000_000_000)
      .optional()
      .describe("How many may come together. Default: one second's rate, at least 1."),
    per: expression
      .optional()
      .describe(
        "CEL: requests are counted by its value; by the client's address (IPv6: its /64) where it says nothing, fails or is empty. '\"all\"' counts all together.",
      ),
    name: name
      .optional()
      .describe('Limits of one name share their counts. Default: counts are of the route.'),
    report: boolean
      .optional()
      .describe('true only counts and logs what would be refused, and lets it pass. Default false.'),
  },
  [],
  { wrap: 'rate' },
);

export const limits = oneOf(
  '{ rate, burst, per }, a list of which all hold, or none',
  [oneOrMore('{ rate, burst, per }', limit), none],
  { wrap: 'rate' },
);
