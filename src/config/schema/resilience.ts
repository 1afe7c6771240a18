import { isNoShare, percentError } from '../../util/percent.ts';
import { rateError } from '../../util/rate.ts';
import { type Complaint, leaf, object, oneOf, oneOrMore, onlyOne, type Rule, wordOf } from './kit.ts';
import {
  boolean,
  duration,
  type Filled,
  integer,
  integerOrNone,
  method,
  none,
  notOneOf,
  positiveDuration,
} from './values.ts';

const percent = leaf<`${number}%` | Filled>(
  'a percentage such as 20%',
  ['text', 'number'],
  (value) => percentError(String(value)),
  { type: 'string', pattern: '^\\d+(\\.\\d+)?%$' },
);

const positivePercent = leaf<`${number}%` | Filled>(
  'a percentage such as 50%',
  ['text', 'number'],
  (value) => (isNoShare(String(value)) ? zeroRate() : percentError(String(value))),
  { type: 'string', pattern: '^\\d+(\\.\\d+)?%$' },
);

function zeroRate(): Complaint {
  return {
    message: '0% would open the breaker at the first request',
    advice: 'leave the key out to switch it off',
  };
}

const errorCount = leaf<string>(
  'a count of errors such as 5/30s',
  ['text', 'number'],
  (value) => rateError(String(value)),
  {
    type: 'string',
    pattern: '^\\d+/\\d*[smhd]$',
  },
);

/** `503`, `500-504`, `5xx`. */
const STATUSES = /^(?:[1-5]\d\d|[1-5]\d\d-[1-5]\d\d|[1-5]xx)$/;

function statusComplaint(text: string, others: readonly string[]): Complaint | null {
  if (others.includes(text)) return null;
  if (STATUSES.test(text)) {
    const [from, to] = text.split('-');
    return to !== undefined && to < from!
      ? { message: `"${text}" goes backwards`, advice: `write "${to}-${from}"` }
      : null;
  }
  if (/^[\d-]+(?:xx)?$/i.test(text))
    return { message: `"${text}" is no status`, advice: 'write one such as 503, 500-504 or 5xx' };
  return notOneOf(text, [...others, '5xx'], [...others, 'a status such as 503', 'or 5xx'].join(', '));
}

const TROUBLES = ['connectFailure', 'reset', 'timeout'];

const retryReason = leaf<'connectFailure' | 'reset' | 'timeout' | '5xx' | number | string>(
  'connectFailure, reset, timeout, a status or 5xx',
  ['text', 'number'],
  (value) => statusComplaint(String(value), TROUBLES) ?? successComplaint(String(value)),
  { type: ['string', 'integer'] },
);

function successComplaint(text: string): Complaint | null {
  return /^[123]/.test(text)
    ? { message: `${text} is no failure`, advice: 'write a status from 400 on, such as 503' }
    : null;
}

export const retries = oneOf(
  '{ attempts, on, budget, methods }, or none',
  [
    object('Retries', 'retries', {
      attempts: integer(0, 10).optional().describe('Tries after the first. Default 1.'),
      on: oneOrMore('what is tried again', retryReason)
        .optional()
        .describe(
          'connectFailure, reset, timeout (firstByte), a status, 5xx. Default [connectFailure, reset].',
        ),
      methods: oneOrMore('a method', method)
        .optional()
        .describe('Methods that may be sent twice beside those that are idempotent.'),
      budget: percent.optional().describe('Retries per request over 10 s, at least 3. Default 20%.'),
    }),
    none,
  ],
  { wrapNumber: 'attempts' },
);

const statusRange = leaf<number | string>(
  'a status such as 200, or a range such as 200-399',
  ['text', 'number'],
  (value) => statusComplaint(String(value), []),
  { type: ['string', 'integer'] },
);

const CHECK_ONLY = ['method', 'status', 'interval', 'timeout', 'unhealthyAfter', 'healthyAfter'];

const oneKindOfCheck: Rule = (health, report) => {
  onlyOne(health, ['path', 'tcp'], report, 'keep path: a request tells more than a connection');
  const asks = 'path' in health || wordOf(health.tcp) === 'true';
  const idle = asks ? undefined : CHECK_ONLY.find((key) => key in health);
  if (idle !== undefined) {
    report({
      code: 'TG_CONFIG_MISSING',
      path: [idle],
      atKey: true,
      message: `"${idle}" is about active checks, and none are asked for`,
      advice: 'say path: /healthz, or tcp: true',
    });
  }
  for (const key of ['method', 'status']) {
    if (!('tcp' in health) || 'path' in health || !(key in health)) continue;
    report({
      code: 'TG_CONFIG_CONFLICT',
      path: [key],
      atKey: true,
      also: ['tcp'],
      message: `a tcp check has no "${key}"`,
      advice: 'say path in place of tcp, or leave it out',
    });
  }
};

const checkPath = leaf<string>(
  'a path such as /healthz',
  ['text'],
  (value) =>
    /^\/[!-~]*$/.test(String(value))
      ? null
      : { message: 'a path begins with a slash and has no spaces', advice: 'write one such as /healthz' },
  { type: 'string', pattern: '^/' },
);

export const health = object(
  'Health',
  'health',
  {
    path: checkPath.optional().describe('Asked for by active checks.'),
    tcp: boolean.optional().describe('Active checks open a connection, no more.'),
    method: method.optional().describe('Of the check. Default GET.'),
    status: oneOrMore('a status or range', statusRange)
      .optional()
      .describe('What a healthy target answers. Default 200-399.'),
    interval: positiveDuration.optional().describe('Between checks. Default 5s.'),
    timeout: positiveDuration.optional().describe('Of one check. Default 1s.'),
    unhealthyAfter: integer(1, 1000)
      .optional()
      .describe('Failed checks in a row that take it out. Default 3.'),
    healthyAfter: integer(1, 1000).optional().describe('Good checks in a row that take it in. Default 2.'),
    passive: oneOf('{ errors, openFor }, or none', [
      object('PassiveHealth', 'passive', {
        errors: integer(1, 1_000_000)
          .optional()
          .describe('Errors in a row that take a target out. Default 5.'),
        openFor: duration.optional().describe('For how long, doubling each time up to 5m. Default 10s.'),
      }),
      none,
    ])
      .optional()
      .describe('What requests themselves tell of a target.'),
    panic: percent.optional().describe('With a smaller share of the targets in, all are used. Default 50%.'),
  },
  [oneKindOfCheck],
  { wrap: 'path' },
);

export const breaker = object('Breaker', 'breaker', {
  maxRequests: integerOrNone(1, 1_000_000)
    .optional()
    .describe('Requests under way at once, of a node. Default 1024.'),
  maxPending: integerOrNone(0, 1_000_000)
    .optional()
    .describe('Requests that wait for a place. Default 1024.'),
  errorRate: positivePercent.optional().describe('Of at least 20 requests in 10 s: opens it. Default off.'),
  errors: errorCount.optional().describe('So many errors in a time, such as 5/30s: opens it. Default off.'),
  openFor: duration.optional().describe('Until one request may try. Default 10s.'),
});
