import { expect, test } from 'vitest';
import type { ConfigInput } from '../schema/index.ts';
import { Findings } from './findings.ts';
import { checkWhoseAnswer } from './whose-answer.ts';

/** What is found wrong with one route to a service, with this `auth` and `cache`. */
function found(auth: unknown, cache: unknown, defaults: object = {}, more: object = {}) {
  const findings = new Findings();
  const input = {
    services: { shop: { url: 'http://127.0.0.1:4001' } },
    defaults,
    routes: { orders: { match: '/orders', to: 'shop', auth, cache, ...more } },
  };
  checkWhoseAnswer(input as unknown as ConfigInput, findings);
  return findings.issues.map(({ code, severity }) => `${severity} ${code}`);
}

const ERROR = ['error TG_CONFIG_CACHE_IDENTITY'];

test.for([
  [true],
  [{ ttl: '1m' }],
  [{ key: { headers: ['authorization'] } }],
  [{ private: false, shared: false, key: { cookies: [] } }],
] as const)('a guarded route with cache %o does not say whose answer it is', ([cache]) => {
  expect(found({ with: 'main' }, cache)).toEqual(ERROR);
  expect(found({ with: ['main', 'jwt'], optional: true }, cache)).toEqual(ERROR);
});

test.for([
  [{ vary: 'auth.subject' }],
  [{ private: true }],
  [{ shared: true }],
  [{ key: { cookies: ['session'] } }],
  [{ ignoreCookies: true }],
] as const)('a guarded route with cache %o says whose answer it is', ([cache]) => {
  expect(found({ with: 'main' }, cache)).toEqual([]);
});

test('no provider is asked on a route without auth, or with a rule that needs no token', () => {
  expect(found(undefined, true)).toEqual([]);
  expect(found('none', true)).toEqual([]);
  expect(found({ with: 'none', allow: 'true' }, true)).toEqual([]);
  expect(found('none', true, { auth: { with: 'main' } })).toEqual([]);
});

test('defaults count where a route says nothing', () => {
  expect(found(undefined, true, { auth: { with: 'main' } })).toEqual(ERROR);
  expect(found({ with: 'main' }, undefined, { cache: { ttl: '1m' } })).toEqual(ERROR);
  expect(found({ with: 'main' }, 'none', { cache: { ttl: '1m' } })).toEqual([]);
});

/** What is found where the service is told this. */
const told = (text: string, cache: object) =>
  found({ with: 'main' }, cache, {}, { request: { headers: { set: { 'x-told': text } } } });

test('a key with a part of something does not hold the whole', () => {
  expect(told('{json(auth.claims)}', { vary: 'auth.claims.plan' })).toEqual(ERROR);
  expect(told('{json(auth)} {auth.claims.plan}', { vary: 'auth.claims.plan' })).toEqual(ERROR);
  expect(told('{auth.claims.plan}', { vary: 'auth.claims' })).toEqual([]);
  const named = { vary: 'request.query.a + auth.subject', key: { query: [] } };
  expect(told('{json(request.query)}', named)).toEqual(['error TG_CONFIG_CACHE_KEY']);
  expect(told('{request.query.a}', named)).toEqual([]);
  expect(told('{request.query.a}', { ...named, vary: 'json(request.query) + auth.subject' })).toEqual([]);
});
