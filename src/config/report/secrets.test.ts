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
  ])('%s is none', (key) => {
    expect(looksSecret(key)).toBe(false);
  });

  test('names that the user chose hide nothing below them', () => {
    expect(isSecretPath(['routes', 'token', 'to'])).toBe(false);
    expect(isSecretPath(['services', 'password', 'url'])).toBe(false);
    expect(isSecretPath(['admin', 'token'])).toBe(true);
    expect(isSecretPath(['auth', 'main', 'introspection', 'clientSecret'])).toBe(true);
  });
});

test('user and password of a URL are masked wherever one stands in a text', () => {
  expect(maskUrls('see redis://bob:hunter2@127.0.0.1:6379 and https://tok@example.com/x')).toBe(
    'see redis://***@127.0.0.1:6379 and https://***@example.com/x',
  );
  expect(maskUrls('postgres://u:p@ss@127.0.0.1/shop')).toBe('postgres://***@127.0.0.1/shop');
  expect(maskUrls('http://127.0.0.1/a@b')).toBe('http://127.0.0.1/a@b');
});
