import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loadObject } from '../../src/config/index.ts';
import { explainRequest } from '../../src/snapshot/index.ts';

const hash = (key: string) => `sha256:${createHash('sha256').update(key).digest('hex')}`;

/** What is said of the limits of a request. */
function limitsOf(limit: object, headers: [string, string][] = [], route: object = {}) {
  const { config } = loadObject(
    {
      auth: { keys: { apiKey: { keys: [{ hash: hash('k'), subject: 'bob', permissions: ['pro'] }] } } },
      routes: { all: { match: '/*', respond: {}, limit, ...route } },
    },
    '.',
    { env: {} },
  );
  const request = { method: 'GET', url: '/x', headers: headers.flat(), ip: '2001:db8::7' };
  return explainRequest(config!, request).limits;
}
const guarded = { auth: { with: 'keys' } };

describe('the explanation of limits', () => {
  it('says which count, how many they allow, and by what they count', () => {
    expect(limitsOf([{ rate: '5/15m' }, { rate: '100/s', burst: 7, per: '"all"', report: true }])).toEqual([
      {
        name: 'all',
        rate: '5/15m',
        burst: 1,
        key: 'address 2001:db8:0:0::/64',
        report: false,
        says: '5/15m, 1 at once',
      },
      { name: 'all-2', rate: '100/s', burst: 7, key: '"all"', report: true, says: '100/s, 7 at once' },
    ]);
  });

  it('says by whom, where that is known without asking', () => {
    const limit = { rate: '{"pro" in auth.permissions ? "600/m" : "60/m"}', per: 'auth.subject' };
    expect(limitsOf(limit, [['x-api-key', 'k']], guarded)).toMatchObject([
      { rate: '600/m', burst: 10, key: '"bob" of keys' },
    ]);
    expect(limitsOf(limit, [], guarded)).toMatchObject([{ rate: null, key: null }]);
  });

  it.each(['authorization', 'cookie', 'x-api-key', 'x-session'])('never shows what stands in %s', (name) => {
    const [limit] = limitsOf({ rate: '1/s', per: `request.headers["${name}"]` }, [[name, 'hush']]);
    expect(limit!.key).not.toContain('hush');
  });

  it('shows a tenant', () => {
    const limit = { rate: '1/s', per: 'request.headers["x-tenant"]' };
    expect(limitsOf(limit, [['x-tenant', 'acme']])).toMatchObject([{ key: '"acme"' }]);
  });

  it('says why a rate can not be worked out', () => {
    const [limit] = limitsOf({ rate: '{request.headers["x-rate"]}' });
    expect(limit!.says).toMatch(/^its rate can not be worked out: /);
  });
});
