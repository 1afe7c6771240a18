import { nearest } from '../../util/suggest.ts';
import {
  type Complaint,
  leaf,
  list,
  named,
  object,
  oneOf,
  oneOrMore,
  onlyOne,
  type Rule,
  record,
  wordOf,
} from './kit.ts';
import { retries } from './resilience.ts';
import { routeCache } from './route-cache.ts';
import { someWeightOf, timeout } from './service.ts';
import {
  boolean,
  bound,
  duration,
  headerNameComplaint,
  integer,
  json,
  method,
  name,
  size,
  word,
} from './values.ts';
import type { CallVariables } from './variables.ts';

type CallFunction = (variables: CallVariables) => unknown;

/** CEL that sees the calls, or a function of the same variables. */
const callExpression = leaf<string | CallFunction>('an expression (CEL)', ['text', 'function'], () => null, {
  type: 'string',
});

const callTemplate = leaf<string | CallFunction>(
  'text, with {CEL} where something is filled in',
  ['text', 'function'],
  () => null,
  { type: 'string' },
);

const headers = record(
  'header names with their values',
  oneOrMore('text, with {CEL} where something is filled in', callTemplate),
  headerNameComplaint,
);

const variableName = leaf<string>(
  'the name of a variable',
  ['text'],
  (value) => variableComplaint(String(value)),
  { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$' },
);

/** What the expression language keeps for itself. */
const KEYWORDS = new Set(
  'as break const continue else false for function if import in let loop namespace null package return true var void while'.split(
    ' ',
  ),
);

/** A call is a variable of the expressions, so its name must be one. */
function variableComplaint(text: string): Complaint | null {
  if (KEYWORDS.has(text)) {
    return {
      code: 'TG_CONFIG_NAME',
      message: `"${text}" is a word of the expression language`,
      advice: 'choose another name',
    };
  }
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(text)) return null;
  const plain = text.replace(/[^A-Za-z0-9_]+(.)?/g, (_, next: string | undefined) =>
    (next ?? '').toUpperCase(),
  );
  return {
    code: 'TG_CONFIG_NAME',
    message: `"${text}" cannot be the name of a variable`,
    advice: /^[A-Za-z_]/.test(plain)
      ? `write "${plain}"`
      : 'letters, digits and _, not beginning with a digit',
  };
}

const service = {
  service: name.describe('The service that is asked.'),
  path: callTemplate.optional().describe('The path it is asked for.'),
  method: method.optional().describe('Default GET.'),
};

const weighted = oneOf("a service's name or { service, weight }", [
  name,
  object('WeightedCallDestination', 'an entry of to', {
    service: name.describe('The service that is asked.'),
    weight: integer(0, 1_000_000).optional().describe('Its share of the calls; 0 for none. Default 1.'),
  }),
]);

const callTarget = oneOf("a service's name, { service, path, method }, or a weighted list of services", [
  name,
  object('CallDestination', 'to', service),
  list('a weighted list of services', weighted),
]);

const batch = object('Batch', 'batch', {
  key: callExpression.describe('CEL over the item: by what its part is found.'),
  parts: callExpression
    .optional()
    .describe('CEL over response: a list, or an object by key. Default response.body.'),
  partKey: callExpression.optional().describe('CEL over part: what is compared with key. Needed for a list.'),
  size: integer(1, 10_000).optional().describe('Items in one call. Default 100.'),
  window: duration
    .optional()
    .describe("How long items of other clients' requests are gathered too. Default off."),
});

const oneTarget: Rule = (call, report) => {
  const advice = 'ask a service, or another route of this gateway';
  if (onlyOne(call, ['to', 'route'], report, advice).length === 0) {
    report({
      code: 'TG_CONFIG_MISSING',
      path: [],
      atKey: true,
      message: 'this call asks nobody',
      advice: 'say to: SERVICE, or route: the name of another route',
    });
  }
  if ('route' in call && !('path' in call)) {
    report({
      code: 'TG_CONFIG_MISSING',
      path: ['route'],
      atKey: true,
      message: '"route" stands without "path"',
      advice: 'say which path of that route is asked for',
    });
  }
};

/** What another route says itself is not said again by who asks it. */
const saidByRoute: Rule = (call, report) => {
  if (!('route' in call)) return;
  for (const key of ['retries', 'cache']) {
    if (!(key in call)) continue;
    report({
      code: 'TG_CONFIG_CONFLICT',
      path: [key],
      atKey: true,
      also: ['route'],
      message: `"${key}" beside "route" says nothing: it is the route's own`,
      advice: 'say it on that route',
    });
  }
};

/** `path` and `method` may stand in `to` or beside it, once. */
const saidOnce: Rule = (call, report) => {
  const to = call.to;
  if (typeof to !== 'object' || to === null || Array.isArray(to)) return;
  for (const key of ['path', 'method']) {
    if (!(key in to && key in call)) continue;
    report({
      code: 'TG_CONFIG_CONFLICT',
      path: [key],
      atKey: true,
      also: ['to', key],
      message: `"${key}" stands twice`,
      advice: 'keep one of them',
    });
  }
};

const EACH_ONLY = ['as', 'concurrency', 'maxItems', 'batch'];

const besideEach: Rule = (call, report) => {
  if ('each' in call) return;
  for (const key of EACH_ONLY) {
    if (!(key in call)) continue;
    report({
      code: 'TG_CONFIG_CONFLICT',
      path: [key],
      atKey: true,
      message: `"${key}" stands beside "each" only`,
      advice: 'say each: the list that is gone through',
    });
  }
};

const bodyOfGet =
  (usual: string): Rule =>
  (call, report) => {
    const said =
      typeof call.to === 'object' && call.to !== null ? (call.to as { method?: unknown }).method : undefined;
    const given = wordOf(call.method ?? said ?? usual);
    if (!('body' in call) || !['GET', 'HEAD', 'TRACE'].includes(given)) return;
    report({
      code: 'TG_CONFIG_CONFLICT',
      path: ['body'],
      atKey: true,
      message: `a ${given} is sent without a body`,
      advice: 'say method: POST beside it',
    });
  };

const WORDS = ['fail', 'null', 'fallback', 'pass'];

/** A word alone is no expression of use; a text in quotes is one, if a call can end so. */
function onErrorComplaint(value: unknown): Complaint | null {
  const word = typeof value === 'string' ? /^\s*(["']?)([A-Za-z]*)\1\s*$/.exec(value) : null;
  if (word === null) return null;
  const [, quote = '', given = ''] = word;
  const words = quote === '' ? WORDS : [...WORDS, 'accept'];
  if (words.includes(given)) return null;
  if (given === 'accept') {
    return {
      message: '"accept" is said by an expression that looks at the error',
      advice: `write for example 'error.status == 404 ? "accept" : "fail"'`,
    };
  }
  const meant = nearest(given, words);
  return {
    message: `"${given}" is none of ${words.join(', ')}`,
    advice: meant === null ? 'or write CEL over error that yields one of them' : `did you mean "${meant}"?`,
  };
}

const onError = leaf<'fail' | 'null' | 'fallback' | 'pass' | null | string | CallFunction>(
  'fail, null, fallback, pass, or CEL over error',
  ['text', 'function', 'empty'],
  onErrorComplaint,
  { type: ['string', 'null'] },
);

const uselessFallback: Rule = (call, report) => {
  if (!('fallback' in call) || 'optional' in call || 'onError' in call || 'when' in call) return;
  report({
    code: 'TG_CONFIG_CONFLICT',
    path: ['fallback'],
    atKey: true,
    message: 'this fallback is never used: a call that may not fail has none',
    advice: 'say optional: true, or onError: fallback',
  });
};

const asked = {
  to: callTarget.optional().describe('The service that is asked.'),
  path: callTemplate
    .optional()
    .describe("The path, with its query, that is asked for. Default: the client's path."),
  method: method.optional().describe('Default GET.'),
  headers: headers
    .optional()
    .describe('Headers of the call. A template that fails makes the call fail; an empty one leaves it out.'),
  body: callExpression.optional().describe('CEL: what is sent as JSON.'),
  timeout: timeout.optional().describe("From sending to the end of the body, in place of the service's."),
};

const compensate = object(
  'Compensate',
  'compensate',
  {
    ...asked,
    method: method.optional().describe('Default DELETE, or POST where there is a body.'),
    route: name.optional().describe('Another route of this gateway, in place of to.'),
  },
  [oneTarget, someWeightOf, saidOnce, bodyOfGet('POST')],
);

export const call = object(
  'AggregateCall',
  'a call',
  {
    ...asked,
    route: name
      .optional()
      .describe('Another route of this gateway, asked as a client would; its path must match that route.'),
    each: callExpression.optional().describe('CEL: a list; the call is made for each of its items.'),
    as: variableName.optional().describe('The variable that holds an item. Default item.'),
    concurrency: integer(1, 1000).optional().describe('Items asked at once. Default 16.'),
    maxItems: integer(1, 100_000).optional().describe('A longer list is a failure. Default 1000.'),
    batch: batch.optional().describe('One call for many items.'),
    when: callExpression.optional().describe('CEL; false skips the call, or the item where it names one.'),
    retries: retries.optional().describe("What is tried again, in place of the service's."),
    maxBody: size.optional().describe('Largest body that is read, after decoding. Default 10MiB.'),
    read: word(['json', 'text', 'base64']).optional().describe('How the body is taken. Default json.'),
    optional: boolean
      .optional()
      .describe('A failure leaves its fallback or null in its place. Default false.'),
    fallback: json.optional().describe('Text is CEL, anything else the value itself.'),
    onError: onError
      .optional()
      .describe(
        'fail, null, fallback, pass, or CEL over error (call, kind, status) that yields one or "accept".',
      ),
    cache: routeCache.optional().describe('Keeps its answers, as on a route.'),
    compensate: compensate.optional().describe('Undoes the call, if it succeeded and a later one fails.'),
  },
  [oneTarget, saidByRoute, someWeightOf, saidOnce, besideEach, bodyOfGet('GET'), uselessFallback],
  { wrap: 'to' },
);

const someCalls: Rule = (aggregate, report) => {
  const { calls } = aggregate;
  if (typeof calls !== 'object' || calls === null || Object.keys(calls).length > 0) return;
  report({
    code: 'TG_CONFIG_VALUE',
    path: ['calls'],
    message: 'there are no calls in it',
    advice: 'name at least one, as in orders: { to: ordering, path: /orders }',
  });
};

export const aggregate = object(
  'Aggregate',
  'aggregate',
  {
    calls: named('an object: calls by name', call, variableComplaint).describe(
      'What is asked. A call that names another one waits for it; all others run at once.',
    ),
    deadline: bound.optional().describe('Time for all of it. Default 30s.'),
    status: oneOf('a status, or CEL that yields one', [integer(200, 599), callExpression])
      .optional()
      .describe('Of the answer. Default 200.'),
    headers: headers.optional().describe('Of the answer. One that fails or is empty is left out.'),
    body: callExpression
      .optional()
      .describe("CEL: the answer. Default: an object with each call's body under its name."),
    timing: boolean.optional().describe('Shows each call in Server-Timing. Default false.'),
  },
  [someCalls],
  { wrap: 'calls' },
);
