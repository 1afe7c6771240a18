import { isToken } from '../../http/headers.ts';
import { addressError } from '../../util/cidr.ts';
import { type DurationText, durationError, parseDuration } from '../../util/duration.ts';
import { type ByteRateText, byteRateError } from '../../util/rate.ts';
import { parseSize, type SizeText, sizeError } from '../../util/size.ts';
import { nearest } from '../../util/suggest.ts';
import { type Complaint, type Kind, kindOf, leaf } from './kit.ts';
import type { RequestVariables, ResponseVariables } from './variables.ts';

/** Text with something in it that is filled in when the config is loaded. */
export type Filled = `${string}\${${string}}${string}`;

/** What a text looks like that is filled in when the config is loaded. */
export const FILLED = '\\$\\{(env\\.|file:)';
const like = (pattern: string) => ({ type: 'string', pattern });
const DURATION = '^\\d+(\\.\\d+)?(ms|s|m|h|d)$';
const SIZE = '^\\d+(\\.\\d+)?(B|KiB|MiB|GiB|TiB)$';

export const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

export function nameComplaint(name: string): Complaint | null {
  if (NAME.test(name)) return null;
  const advice = name.includes('://')
    ? 'give it a name, as in services: { NAME: { url: … } }, and write NAME here'
    : 'a name is a letter followed by letters, digits, - and _';
  return { code: 'TG_CONFIG_NAME', message: `"${name}" cannot be a name`, advice };
}

export function headerNameComplaint(name: string): Complaint | null {
  if (isToken(name)) return null;
  return {
    code: 'TG_CONFIG_NAME',
    message: name === '' ? 'a header needs a name' : `"${name}" cannot be the name of a header`,
    advice: 'letters, digits and - are safe',
  };
}

const fromText = (check: (text: string) => Complaint | null) => (value: unknown) => check(String(value));
const nothingWrong = () => null;

export const text = leaf<string>('text', ['text'], nothingWrong, { type: 'string' });

const EMPTY: Complaint = { message: 'this text is empty', advice: 'give it a value or remove the key' };

export const filledText = leaf<string>('text', ['text'], (value) => (value === '' ? EMPTY : null), {
  type: 'string',
  minLength: 1,
});

const UNSENDABLE: Complaint = {
  message: 'this token cannot be sent in a header',
  advice: 'take letters, digits and signs of ASCII, without spaces: openssl rand -hex 32 makes one',
};

/** What can be sent in a header: as `Authorization: Bearer …`, say. */
export const bearerToken = leaf<string>(
  'a token',
  ['text'],
  (value) => (value === '' ? EMPTY : /^[!-~]+$/.test(String(value)) ? null : UNSENDABLE),
  like('^[!-~]+$'),
);

export const name = leaf<string>('a name', ['text'], fromText(nameComplaint), like(NAME.source));

export const headerName = leaf<string>('the name of a header', ['text'], fromText(headerNameComplaint), {
  type: 'string',
});

export const boolean = leaf<boolean | Filled>('true or false', ['boolean'], nothingWrong, {
  anyOf: [{ type: 'boolean' }, { type: 'string', pattern: FILLED }],
});

/** A whole number between two bounds, both allowed. */
export function integer(least: number, most: number) {
  const check = (value: unknown): Complaint | null => {
    const advice = `write a whole number from ${least} to ${most}`;
    if (!Number.isInteger(value)) return { message: `${value} is not a whole number`, advice };
    if ((value as number) < least) return { message: `${value} is too small`, advice };
    if ((value as number) > most) return { message: `${value} is too large`, advice };
    return null;
  };
  return leaf<number | Filled>(`a whole number from ${least} to ${most}`, ['number'], check, {
    anyOf: [
      { type: 'integer', minimum: least, maximum: most },
      { type: 'string', pattern: FILLED },
    ],
  });
}

/** A whole number, or `none` for no bound. */
export function integerOrNone(least: number, most: number) {
  const what = `a whole number from ${least} to ${most}, or none`;
  const check = (value: unknown): Complaint | null => {
    if (value === 'none') return null;
    if (typeof value === 'string') return notOneOf(value, ['none'], what);
    if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return null;
    return { message: `${value} is out of range`, advice: `write ${what}` };
  };
  return leaf<number | 'none' | Filled>(what, ['number', 'text'], check, {
    anyOf: [{ type: 'integer', minimum: least, maximum: most }, like('^none$')],
  });
}

export const duration = leaf<DurationText | Filled>(
  'a duration such as 250ms, 5s or 10m',
  ['text', 'number'],
  fromText(durationError),
  like(DURATION),
);

/** A time that must go by: with 0 nothing could be done in it, or something would be done without end. */
export const positiveDuration = leaf<DurationText | Filled>(
  'a duration such as 250ms, 5s or 10m',
  ['text', 'number'],
  (value) => durationError(String(value)) ?? (parseDuration(String(value)) === 0 ? noTime(value) : null),
  like(DURATION),
);

function noTime(value: unknown): Complaint {
  return {
    message: `${value} is no time at all`,
    advice: 'write a longer one, or leave it out for the usual one',
  };
}

/** A bound in time: 0 would refuse everything, and is most often meant as "no bound". */
export const bound = leaf<DurationText | 'none' | Filled>(
  'a duration such as 5s, or none',
  ['text', 'number'],
  (value) => {
    if (value === 'none') return null;
    if (value === 0 || value === '0') return zeroBound();
    return durationError(String(value)) ?? (parseDuration(String(value)) === 0 ? zeroBound() : null);
  },
  like(`^none$|${DURATION}`),
);

/** An event loop in good health is late by some milliseconds now and then. */
const LEAST_LATENESS = 20;

/** How late an event loop may be. */
export const lateness = leaf<DurationText | Filled>(
  'a duration such as 100ms',
  ['text', 'number'],
  (value) => {
    const complaint = durationError(String(value));
    if (complaint !== null || parseDuration(String(value)) >= LEAST_LATENESS) return complaint;
    return {
      message: `an event loop is later than ${value} now and then when all is well`,
      advice: 'write 100ms, or another time of 20ms or more',
    };
  },
  like(DURATION),
);

/** A duration, or `off` for no bound at all. */
export const durationOrOff = leaf<DurationText | 'off' | Filled>(
  'a duration such as 1s, or off',
  ['text', 'number', 'boolean'],
  (value) => {
    if (value === 'off') return null;
    if (typeof value === 'boolean') return { message: `${value} is not a duration`, advice: 'write off' };
    return durationError(String(value));
  },
  like(`^off$|${DURATION}`),
);

function zeroBound(): Complaint {
  return { message: 'a time limit of 0 would refuse everything', advice: 'say "none" for no limit' };
}

export const size = leaf<SizeText | Filled>(
  'a size such as 64KiB or 10MiB',
  ['text', 'number'],
  fromText(sizeError),
  like(SIZE),
);

/** What the head of a request must fit into: no request is as small as nothing. */
export const sizeOfHead = leaf<SizeText | Filled>(
  'a size such as 8KiB',
  ['text', 'number'],
  (value): Complaint | null => {
    const wrong = sizeError(String(value));
    if (wrong !== null || parseSize(String(value)) >= 1) return wrong;
    return { message: `${value} would refuse every request`, advice: 'write one such as 8KiB' };
  },
  like(SIZE),
);

/** A size, or 0 for nothing at all. */
export const sizeOrZero = leaf<SizeText | 0 | '0' | Filled>(
  'a size such as 64MiB, or 0',
  ['text', 'number'],
  (value) => (value === 0 || value === '0' ? null : sizeError(String(value))),
  like(`^0$|${SIZE}`),
);

export const sizeOrNone = leaf<SizeText | 'none' | Filled>(
  'a size such as 10MiB, or none',
  ['text', 'number'],
  (value) => (value === 'none' ? null : sizeError(String(value))),
  like(`^none$|${SIZE}`),
);

export const byteRateOrNone = leaf<ByteRateText | 'none' | Filled>(
  'bytes a second such as 1KiB/s, or none',
  ['text', 'number'],
  (value) => (value === 'none' ? null : byteRateError(String(value))),
  like(`^none$|${SIZE.slice(0, -1)}/s$`),
);

/** One of a few words, which may stand as other kinds of value beside text. */
export function word<const Words extends readonly string[]>(words: Words, kinds: readonly Kind[] = []) {
  const what = listed(words);
  const check = (value: unknown): Complaint | null => {
    const given = String(value);
    return words.includes(given) ? null : notOneOf(given, words, what);
  };
  return leaf<Words[number]>(what, ['text', ...kinds], check, { enum: words });
}

export function notOneOf(given: string, words: readonly string[], what: string): Complaint {
  const meant = nearest(given, words);
  const advice = meant === null ? `write ${what}` : `did you mean "${meant}"?`;
  return { message: `"${given}" is not ${what}`, advice };
}

/** `a`, `a or b`, `a, b or c`. */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

export const none = word(['none']);

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];

/** A method is compared as it is spelled (RFC 9110 §9.1), so a lower-case one would never match. */
export const method = leaf<string>(
  'a method such as GET',
  ['text'],
  (value) => {
    const given = String(value);
    if (given === 'CONNECT')
      return { message: 'CONNECT is not offered by this gateway', advice: 'remove it' };
    if (METHODS.includes(given.toUpperCase()) && !METHODS.includes(given)) {
      return {
        message: `"${given}" is not a method: they are in upper case`,
        advice: `write "${given.toUpperCase()}"`,
      };
    }
    if (!isToken(given))
      return {
        message: `"${given}" cannot be a method`,
        advice: 'write one such as GET; several stand in a list',
      };
    return null;
  },
  { type: 'string' },
);

export const cookieName = leaf<string>(
  'the name of a cookie',
  ['text'],
  (value) => {
    if (isToken(String(value))) return null;
    return {
      message: `"${value}" cannot be the name of a cookie`,
      advice: 'letters, digits, - and _ are safe',
    };
  },
  { type: 'string' },
);

export const addressRange = leaf<string>(
  'an IP address or CIDR range such as 10.0.0.0/8',
  ['text'],
  (value) => {
    const message = addressError(String(value));
    return message === null ? null : { message };
  },
  { type: 'string' },
);

/** CEL over the request, or a function of its variables. */
export const expression = leaf<string | ((variables: RequestVariables) => unknown)>(
  'an expression (CEL)',
  ['text', 'function'],
  nothingWrong,
  { type: 'string' },
);

/** An expression that sees the response too. */
export const responseExpression = leaf<string | ((variables: ResponseVariables) => unknown)>(
  'an expression (CEL)',
  ['text', 'function'],
  nothingWrong,
  { type: 'string' },
);

/** Text with `{CEL}` inside, or a function of the request's variables. */
export const template = leaf<string | ((variables: RequestVariables) => unknown)>(
  'text, with {CEL} where something is filled in',
  ['text', 'function'],
  nothingWrong,
  { type: 'string' },
);

/** A template that sees the response too. */
export const responseTemplate = leaf<string | ((variables: ResponseVariables) => unknown)>(
  'text, with {CEL} where something is filled in',
  ['text', 'function'],
  nothingWrong,
  { type: 'string' },
);

/** Whatever JSON can say. */
export const json = leaf<unknown>(
  'a JSON value',
  ['text', 'number', 'boolean', 'list', 'object', 'empty', 'function'],
  notJson,
  {},
);

/** The first thing in a value that JSON has no word for. */
function notJson(value: unknown, at: (string | number)[] = []): Complaint | null {
  const kind = kindOf(value);
  if (kind === 'other') return { message: 'JSON has no such value', advice: 'write text, or a number', at };
  if (kind === 'number' && !Number.isFinite(value)) return { message: `JSON has no ${value}`, at };
  if (kind !== 'list' && kind !== 'object') return null;
  for (const [key, item] of Object.entries(value as object)) {
    const complaint = notJson(item, [...at, kind === 'list' ? Number(key) : key]);
    if (complaint !== null) return complaint;
  }
  return null;
}
