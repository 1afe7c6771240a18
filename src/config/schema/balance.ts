import { object, oneOf, onlyOne, type Rule } from './kit.ts';
import { cookieName, expression, none, positiveDuration, word } from './values.ts';

const oneKind: Rule = (balance, report) => {
  if (onlyOne(balance, ['hash', 'cookie'], report).length === 0) {
    report({
      code: 'TG_CONFIG_MISSING',
      path: [],
      message: 'this does not say what a client is kept by',
      advice: 'say hash: EXPRESSION or cookie: NAME',
    });
  }
};

export const balance = oneOf('leastRequests, roundRobin, { hash } or { cookie }', [
  word(['leastRequests', 'roundRobin']),
  object(
    'Balance',
    'balance',
    {
      hash: expression.optional().describe('CEL over request: equal values go to the same target.'),
      cookie: cookieName.optional().describe('A cookie of this name keeps a client on its target.'),
    },
    [oneKind],
  ),
]);

export const sticky = oneOf('{ cookie, maxAge }, or none', [
  object('Sticky', 'sticky', {
    cookie: cookieName.describe('Its name.'),
    maxAge: positiveDuration
      .optional()
      .describe('How long the client keeps it. Default: until the browser ends.'),
  }),
  none,
]);
