import { claimTemplate } from './auth-values.ts';
import { object, oneOrMore, onlyOne, type Rule, record, someOf } from './kit.ts';
import { boolean, filledText, headerName } from './values.ts';

export const oneKindOf =
  (kinds: readonly string[], what: string, beside: readonly string[] = []): Rule =>
  (value, report) => {
    const given = onlyOne(value, kinds, report);
    // Another key that stands there has been told of.
    if (given.length > 0 || Object.keys(value).some((key) => !beside.includes(key))) return;
    const advice = `say one of ${kinds.join(', ')}`;
    report({
      code: 'TG_CONFIG_MISSING',
      path: [],
      atKey: true,
      message: `this ${what} is of no kind`,
      advice,
    });
  };

const place = object(
  'CredentialPlace',
  'an entry of from',
  {
    header: headerName.optional().describe('A header; "Bearer " before the credential is taken off.'),
    query: filledText.optional().describe('A query parameter.'),
    cookie: filledText.optional().describe('A cookie.'),
  },
  [oneKindOf(['header', 'query', 'cookie'], 'place')],
  { wrap: 'header' },
);

/** What every provider takes. */
export const common = {
  from: someOf('a list of { header }, { query } or { cookie }', place)
    .optional()
    .describe(
      'Where the credential stands; the first that is there counts. It is taken off the request unless passToken.',
    ),
  crossSite: boolean
    .optional()
    .describe(
      'Lets pages of other origins send unsafe requests with a credential in a cookie. Default false: they need a same-origin Origin.',
    ),
  subject: claimTemplate
    .optional()
    .describe('Who it is: a template over claims or response. Default: the claim sub.'),
  permissions: claimTemplate
    .optional()
    .describe(
      'A template over claims or response: a list of texts, or one split at spaces. Default: scope or scp, and permissions.',
    ),
  claims: record('claims with their templates', claimTemplate, () => null)
    .optional()
    .describe('Further claims by name, each a template over claims or response.'),
  tags: oneOrMore('a tag, with {CEL} where something is filled in', claimTemplate)
    .optional()
    .describe(
      'Tags that revoke a decision, beside subject:… and token:…: a purge or a change event of one does it at once.',
    ),
};
