import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { headerValue, type OriginExchange } from '../../src/testkit/index.ts';
import { type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(() => on?.close());
const hash = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const key = (name: string, permissions: string[] = []) => ({ hash: hash(name), subject: name, permissions });

/** Each answer is another one. */
async function counting(exchange: OriginExchange): Promise<void> {
  count++;
  const body = `answer ${count}`;
  await exchange.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
}
let count = 0;

const start = async (cache: object, route: object = {}) => {
  count = 0;
  on = await stage({
    auth: {
      keys: { apiKey: { keys: [key('alice', ['b', 'a']), key('bob', ['a', 'b']), key('carol', ['a'])] } },
    },
    route: { auth: { with: 'keys', ...route }, cache: { ttl: '5m', ...cache } },
    script: counting,
  });
};
const ask = async (who?: string) =>
  await on.ask('GET /x', ...(who === undefined ? [] : [`X-Api-Key: ${who}`]));
const body = async (who: string) => (await ask(who)).body.toString();

describe('a cache behind a guard', () => {
  it('is asked only by those who may come in', async () => {
    await start({ shared: true }, { permissions: ['b'] });
    expect(await body('alice')).toBe('answer 1');
    expect([(await ask()).status, (await ask('mallory')).status, (await ask('carol')).status]).toEqual([
      401, 401, 403,
    ]);
    const hit = await ask('bob');
    expect([hit.body.toString(), headerValue(hit, 'cache-status')]).toEqual([
      'answer 1',
      expect.stringContaining('hit'),
    ]);
  });

  it('never gives one user’s answer to another where the key names the subject', async () => {
    await start({ vary: 'auth.subject' });
    expect([await body('alice'), await body('bob'), await body('alice'), await body('bob')]).toEqual([
      'answer 1',
      'answer 2',
      'answer 1',
      'answer 2',
    ]);
  });

  it('keeps one answer for each set of permissions, whatever their order', async () => {
    await start({ vary: 'auth.permissions' });
    expect([await body('alice'), await body('bob'), await body('carol')]).toEqual([
      'answer 1',
      'answer 1',
      'answer 2',
    ]);
  });
});
