import { leaf, list, object, record, someOf } from './kit.ts';
import { common, oneKindOf } from './provider-common.ts';
import { filledText, json, text } from './values.ts';

const hash = leaf<string>(
  "a hash such as 'sha256:HEX'",
  ['text'],
  (value) => {
    if (/^sha256:[0-9a-f]{64}$/i.test(String(value))) return null;
    return {
      message: 'this is not the hash of a key',
      advice: '"tidegate hash key" prints it: sha256: and 64 hexadecimal digits',
    };
  },
  { type: 'string' },
);

const apiKeyEntry = object(
  'ApiKey',
  'a key',
  {
    hash: hash.optional().describe('sha256:HEX, as "tidegate hash key" prints it.'),
    key: filledText.optional().describe("The key itself, from the environment alone: '${env.NAME}'."),
    subject: text.optional().describe('Who it belongs to. Two keys of one subject make a rotation.'),
    permissions: list('a list of permissions', filledText).optional().describe('What it may do.'),
    scopes: list('a list of scopes', filledText).optional().describe('Its scopes.'),
    claims: record('claims by name', json, () => null)
      .optional()
      .describe('What else is known of it: auth.claims.'),
  },
  [oneKindOf(['hash', 'key'], 'key', ['subject', 'permissions', 'scopes', 'claims'])],
);

/** Keys that stand in the config. */
export const apiKey = object('ApiKeyProvider', 'apiKey', {
  keys: someOf('a list of { hash, subject, permissions }', apiKeyEntry).describe(
    'The keys that are taken, hashed.',
  ),
  ...common,
});

const basicUser = object('BasicUser', 'a user', {
  name: leaf<string>(
    'a name',
    ['text'],
    (value) => {
      if (value !== '' && !/[\x00-\x1f\x7f:]/.test(String(value))) return null;
      return {
        message: 'no client could show this name',
        advice: 'write one without colons and control characters',
      };
    },
    { type: 'string', minLength: 1 },
  ).describe('As it is typed in; the subject, unless subject says otherwise.'),
  password: filledText.describe(
    'A hash, as "tidegate hash password" prints it (argon2id; bcrypt is taken too). The password itself from the environment alone: \'${env.NAME}\'.',
  ),
  permissions: list('a list of permissions', filledText).optional().describe('What they may do.'),
  scopes: list('a list of scopes', filledText).optional().describe('Their scopes.'),
  claims: record('claims by name', json, () => null)
    .optional()
    .describe('What else is known of them: auth.claims.'),
});

/** Users who stand in the config. */
export const basic = object('BasicProvider', 'basic', {
  realm: filledText.optional().describe('What the password is for, as browsers show it. Default tidegate.'),
  users: someOf('a list of { name, password, permissions }', basicUser).describe('Who is known.'),
  ...common,
});
