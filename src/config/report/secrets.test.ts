import { describe, expect, test } from 'vitest';
import { looksSecret, maskUrls } from '../../util/secret-looks.ts';
import { isSecretPath } from './secrets.ts';

describe('a key that sounds like a secret', () => {
  test.each([
    'token',
    'secret',
    'password',
    'passwd',
    'clientSecret',
    'client_secret',
    'CLIENT-SECRET',
    'apiKey',
    'x-api-key',
    'key',
    'keys',
    'authorization',
    'accessToken',
    'privateKey',
    'passphrase',
    'credentials',
    'dbPassword',
    'pwd',
    'creds',
    'psk',
    // In one word.
    'privatekey',
    'ACCESSKEY',
    'signingkeys',
    'dbpass',
    // Misspelt.
    'tokn',
    'tokne',
    'pasword',
    'passwrod',
    'clientSecert',
    'secrt',
    'authorisation',
    'Passwort',
    'credentails',
  ])('%s', (key) => {
    expect(looksSecret(key)).toBe(true);
  });

  test.each([
    'timeout',
    'path',
    'passive',
    'url',
    'host',
    'name',
    'to',
    'match',
    'tokenEndpoint',
    'passToken',
    'pages',
    'body',
    'cert',
    'connections',
    'service',
    'second',
    'partKey',
    'primarykey',
    'bypass',
  ])('%s is none', (key) => {
    expect(looksSecret(key)).toBe(false);
  });

  test('names that the user chose hide nothing below them', () => {
    expect(isSecretPath(['routes', 'token', 'to'])).toBe(false);
    expect(isSecretPath(['services', 'password', 'url'])).toBe(false);
    expect(isSecretPath(['admin', 'token'])).toBe(true);
    expect(isSecretPath(['routes', 'limit', 'key'])).toBe(true);
    expect(isSecretPath(['tracing', 'headers', 'x-team'])).toBe(true);
    expect(isSecretPath(['tracing', 'serviceName'])).toBe(false);
    expect(isSecretPath(['auth', 'main', 'introspection', 'clientSecret'])).toBe(true);
  });
});

test('a key by which something is counted, spread or found opens nothing', () => {
  expect(isSecretPath(['routes', 'a', 'limit', 'key'])).toBe(false);
  expect(isSecretPath(['routes', 'a', 'limit', 0, 'key'])).toBe(false);
  expect(isSecretPath(['services', 'a', 'balance', 'key'])).toBe(false);
  expect(isSecretPath(['routes', 'a', 'cache', 'key'])).toBe(false);
  expect(isSecretPath(['cache', 'redis', 'encrypt', 'key'])).toBe(true);
  expect(isSecretPath(['auth', 'keys', 'apiKey', 'keys', 0, 'key'])).toBe(true);
  expect(isSecretPath(['listen', 0, 'tls', 'key'])).toBe(true);
});

test('user and password of a URL are masked wherever one stands in a text', () => {
  expect(maskUrls('see redis://bob:hunter2@127.0.0.1:6379 and https://tok@example.com/x')).toBe(
    'see redis://***@127.0.0.1:6379 and https://***@example.com/x',
  );
  expect(maskUrls('postgres://u:p@ss@127.0.0.1/shop')).toBe('postgres://***@127.0.0.1/shop');
  expect(maskUrls('http://127.0.0.1/a@b')).toBe('http://127.0.0.1/a@b');
});

test.each([
  // A password that should have been encoded.
  ['http://bob:hun/ter2@h/x', 'http://***@h/x'],
  ["http://bob:'hunter2'@h", 'http://***@h'],
  ['postgres://bob:hun?ter#2@h:5432/shop', 'postgres://***@h:5432/shop'],
  [':hunter2@127.0.0.1:6379', '***@127.0.0.1:6379'],
  ['bob:hunter2@db.example:5432/shop', '***@db.example:5432/shop'],
  // Parameters that sound like secrets.
  ['http://h/?api_key=hunter2&page=2', 'http://h/?api_key=***&page=2'],
  ['/y?page=2&acces_token=hunter2', '/y?page=2&acces_token=***'],
])('%s is shown as %s', (text, shown) => {
  expect(maskUrls(text)).toBe(shown);
  expect(maskUrls(shown)).toBe(shown);
});

test.each([
  'http://127.0.0.1:4001/users/@me',
  'http://[::1]:4001/users/@me',
  '{"url":"http://127.0.0.1:80","mail":"bob@h"}',
  'mail: bob@h.example:25',
  '/y?token={params.token}&page=2',
  '/y?token=${env.TOKEN}',
  'postgres://${env.USER}:${env.PASSWORD}@h/shop',
])('%s holds no secret', (text) => expect(maskUrls(text)).toBe(text));
