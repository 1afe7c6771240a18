import { compilePattern, PatternError } from '../../util/pattern.ts';
import { isNoShare, percentError, withPercentSign } from '../../util/percent.ts';
import { type Complaint, leaf, object, oneOf, oneOrMore, type Rule, wordOf } from './kit.ts';
import { boolean, duration, expression, type Filled, headerName, method, none, size } from './values.ts';

const origin = leaf<string>('an origin', ['text'], (value) => originComplaint(String(value)), {
  type: 'string',
});

function originComplaint(text: string): Complaint | null {
  if (text === '*') return null;
  if (text.startsWith('~')) {
    try {
      compilePattern(text.slice(1));
      return null;
    } catch (error) {
      if (error instanceof PatternError) return { message: `this pattern cannot be read: ${error.message}` };
      throw error;
    }
  }
  const usual = /^(?:(https:\/\/.+):443|(http:\/\/.+):80)$/i.exec(text);
  if (usual !== null)
    return {
      message: 'browsers leave the usual port of a scheme out: this origin would never be met',
      advice: `write "${usual[1] ?? usual[2]}"`,
    };
  if (/^[a-z][a-z0-9+.-]*:\/\/(?:(?:\*\.)?[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(text))
    return null;
  if (/^https?:\/\/[^/]+\//i.test(text))
    return { message: 'an origin has no path', advice: `write "${text.split('/').slice(0, 3).join('/')}"` };
  return {
    message: `"${text}" is not an origin`,
    advice: "write https://app.example.com, https://*.example.com, '~RE2' or '*'",
  };
}

const anyOriginWithCredentials: Rule = (cors, report) => {
  const origins = Array.isArray(cors.origins) ? cors.origins : [cors.origins];
  if (wordOf(cors.credentials) !== 'true' || !origins.includes('*')) return;
  report({
    code: 'TG_CONFIG_CONFLICT',
    path: ['credentials'],
    atKey: true,
    also: ['origins'],
    message: "credentials for '*' would let any page act as its visitor",
    advice: 'list the origins that may',
  });
};

export const cors = oneOf('{ origins, methods, headers, expose, credentials, maxAge }, or none', [
  object(
    'Cors',
    'cors',
    {
      origins: oneOrMore('an origin', origin).describe("Exact, https://*.example.com, '~RE2', or '*'."),
      methods: oneOrMore('a method', method).optional().describe('Default: the one that is asked for.'),
      headers: oneOrMore('the name of a header', headerName)
        .optional()
        .describe('Default: those that are asked for.'),
      expose: oneOrMore('the name of a header', headerName)
        .optional()
        .describe('Headers of answers that pages may read.'),
      credentials: boolean.optional().describe('Lets pages send cookies. Default false.'),
      maxAge: duration.optional().describe('How long a browser keeps the leave.'),
    },
    [anyOriginWithCredentials],
    { wrap: 'origins' },
  ),
  none,
]);

const mediaType = leaf<string>(
  'a media type such as text/* or application/json',
  ['text'],
  (value) => {
    if (/^(?:\*[+\w.-]+|[\w.+-]+\/(?:\*|[\w.+-]+))$/.test(String(value))) return null;
    return {
      message: `"${value}" is not a media type`,
      advice: 'write one such as text/*, application/json or *+json',
    };
  },
  { type: 'string' },
);

export const compress = oneOf('true, { minSize, types }, or none', [
  boolean,
  object('Compress', 'compress', {
    minSize: size.optional().describe('Smaller answers stay as they are. Default 1KiB.'),
    types: oneOrMore('a media type', mediaType)
      .optional()
      .describe('What is compressed. Default: text, JSON, XML, scripts, SVG.'),
  }),
  none,
]);

export const errors = oneOf('{ body }, or none', [
  object('Errors', 'errors', {
    body: expression.describe(
      "CEL over error (status, title, code, detail): the JSON of the gateway's own errors.",
    ),
  }),
  none,
]);

/** @param none What to do for none of it: without the key it is all, perhaps. */
export const share = (none: string) =>
  leaf<`${number}%` | Filled>(
    'a percentage such as 10%',
    ['text', 'number'],
    (value) => shareComplaint(String(value), none),
    { type: 'string' },
  );

/** `percent: 10`: the key names the unit already. */
export const percentOfMirror = leaf<number | `${number}%` | Filled>(
  'a percentage such as 10%',
  ['text', 'number'],
  (value) => shareComplaint(withPercentSign(String(value)), 'say mirror: none for no copies'),
  { type: ['string', 'number'] },
);

function shareComplaint(text: string, none: string): Complaint | null {
  return isNoShare(text) ? { message: '0% is none of it', advice: none } : percentError(text);
}

/** `400`, `500-504`, `5xx`. */
export function statusKeyComplaint(key: string): Complaint | null {
  if (/^(?:[2-5]\d\d|[2-5]xx)$/.test(key)) return null;
  const range = /^([2-5]\d\d)-([2-5]\d\d)$/.exec(key);
  if (range !== null)
    return range[1]! <= range[2]!
      ? null
      : {
          code: 'TG_CONFIG_VALUE',
          message: `"${key}" goes backwards`,
          advice: `write '${range[2]}-${range[1]}'`,
        };
  return {
    code: 'TG_CONFIG_VALUE',
    message: `"${key}" is not a status`,
    advice: "write one such as '404', '500-504' or '5xx'",
  };
}
