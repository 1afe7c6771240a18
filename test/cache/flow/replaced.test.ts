import { afterEach, describe, expect, it } from 'vitest';
import { answer, type OriginExchange, until } from '../../../src/testkit/index.ts';
import { type Ask, type Stage, stage } from './stage.ts';

let now: Stage;
afterEach(() => now.close());

type Pair = [string, string];
const said = (control: string, body = 'one', headers: Pair[] = []) =>
  answer(200, [['Cache-Control', control], ...headers], body);
const with_ = (...headers: string[]): Ask => ({ headers });

async function ask(path?: string, options?: Ask) {
  const { status, body, headers } = await now.ask(path, options);
  const value = (name: string) => headers.find(([given]) => given.toLowerCase() === name)?.[1];
  return { status, text: body.toString(), line: value('cache-status') ?? '', value };
}

describe('a stale answer that is asked about again (RFC 9111 §4.3.3)', () => {
  const stale = 'max-age=10, stale-while-revalidate=60, stale-if-error=60';

  it.each([
    ['404 without a lifetime', answer(404, [], 'gone')],
    ['200 with no-store', said('no-store', 'new')],
  ])('is given to nobody once the origin has said %s', async (_what, next) => {
    now = await stage([said(stale), next], true);
    await ask();
    now.clock.advance(15_000);
    expect((await ask()).line).toMatch(/hit.*detail=stale-while-revalidate/);
    await until(async () => (await ask()).text !== 'one', 'the stale answer to be forgotten');
    expect((await ask()).line).toMatch(/fwd=uri-miss/);
  });

  it('is not, either, where it was still fresh and a client wanted it anew', async () => {
    now = await stage([said('max-age=60'), said('no-store', 'new'), said('max-age=60', 'third')], true);
    await ask();
    await ask('/a', with_('Cache-Control: no-cache'));
    expect((await ask()).text).toBe('third');
  });

  it.each([
    ['an error', answer(500, [], 'bad')],
    ['what is for its client alone', said('private', 'mine')],
    ['a refusal of its client', answer(401, [], 'who?')],
  ])('stays where the origin says %s', async (_what, next) => {
    now = await stage([said('max-age=60'), next], true);
    await ask();
    await ask('/a', with_('Cache-Control: no-cache'));
    expect(await ask()).toMatchObject({ text: 'one', line: 'tidegate; hit; ttl=60' });
  });
});

describe('HEAD', () => {
  it('has what it was answered from brought up to date by GET (stale-while-revalidate)', async () => {
    const tag: Pair[] = [['ETag', '"a"']];
    now = await stage(
      [said('max-age=10, stale-while-revalidate=60', 'one', tag), said('max-age=10', 'new')],
      true,
    );
    await ask();
    now.clock.advance(15_000);
    expect((await ask('/a', { method: 'HEAD' })).line).toMatch(/hit/);
    await until(() => now.asked().length === 2, 'the origin to be asked again');
    expect(now.asked()[1]).toMatch(/^GET /);
    await until(async () => (await ask()).text === 'new', 'the new answer');
    expect((await ask()).line).toBe('tidegate; hit; ttl=10');
  });

  it('gets a stale answer in the place of an error, as GET does (stale-if-error)', async () => {
    now = await stage([said('max-age=10, stale-if-error=60'), answer(503, [], '')], true);
    await ask();
    now.clock.advance(15_000);
    const { status, line } = await ask('/a', { method: 'HEAD' });
    expect(status).toBe(200);
    expect(line).toBe('tidegate; fwd=stale; fwd-status=503; ttl=-5; detail=stale-if-error');
  });

  it('gets the error where the client takes nothing stale in its place', async () => {
    now = await stage([said('max-age=10, stale-if-error=60'), answer(503, [], '')], true);
    await ask();
    now.clock.advance(15_000);
    const headers = ['Cache-Control: stale-if-error=1'];
    expect((await ask('/a', { method: 'HEAD', headers })).status).toBe(503);
  });

  it('is answered from what GET stored where the body stands in the key, too', async () => {
    now = await stage(said('max-age=60'), { key: { body: true } });
    await ask();
    expect((await ask('/a', { method: 'HEAD' })).line).toMatch(/hit/);
  });
});

describe('conditional requests', () => {
  it('are answered by 304 also where what they ask for is just being stored', async () => {
    now = await stage(said('max-age=60', 'one', [['ETag', '"a"']]), true);
    expect((await ask('/a', with_('If-None-Match: "a"'))).status).toBe(304);
    expect(await ask()).toMatchObject({ text: 'one', line: 'tidegate; hit; ttl=60' });
    expect(await ask('/b', with_('If-None-Match: "b"'))).toMatchObject({ status: 200, text: 'one' });
  });

  it('are so too where they wait for what somebody else has asked for', async () => {
    const release = Promise.withResolvers<void>();
    now = await stage(async (exchange: OriginExchange) => {
      const head = ['HTTP/1.1 200 OK', 'Cache-Control: max-age=60', 'ETag: "a"', 'Content-Length: 3'];
      await exchange.send(`${head.join('\r\n')}\r\n\r\nab`);
      await release.promise;
      await exchange.send('c');
    }, true);
    const first = ask();
    await now.origin.nextRequest();
    const second = ask('/a', with_('If-None-Match: "a"'));
    expect((await second).status).toBe(304);
    release.resolve();
    expect(await first).toMatchObject({ status: 200, text: 'abc' });
  });
});

describe('what was unseated', () => {
  const put: Ask = { method: 'PUT', body: 'x' };
  const serving = (state: { body: string; headers: Pair[] }) => (exchange: OriginExchange) => {
    const { method, headers } = exchange.request;
    const asks = (name: string) => headers.find(([given]) => given.toLowerCase() === name)?.[1];
    if (method === 'PUT') return exchange.send(answer(204));
    const isTold = state.headers.some(([, value]) => value === asks('if-none-match'));
    const isDated = state.headers.some(([, value]) => value === asks('if-modified-since'));
    if (isTold || isDated) return exchange.send(answer(304, state.headers));
    const control: Pair[] = [['Cache-Control', 'max-age=60'], ...state.headers];
    const length = String(state.body.length);
    if (method === 'HEAD') return exchange.send(answer(200, [...control, ['Content-Length', length]]));
    return exchange.send(answer(200, control, state.body));
  };
  const date = 'Thu, 01 Jan 2026 00:00:00 GMT';

  it.each<[string, Pair[]]>([
    ['nothing', []],
    ['a date', [['Last-Modified', date]]],
    ['a weak tag', [['ETag', 'W/"a"']]],
  ])('is brought back neither by HEAD nor by 304 where it is known by %s', async (_what, headers) => {
    const state = { body: 'old', headers };
    now = await stage(serving(state), true);
    await ask();
    await ask('/a', put);
    state.body = 'new';
    await ask('/a', { method: 'HEAD' });
    expect(await ask()).toMatchObject({ text: 'new', line: 'tidegate; fwd=uri-miss; stored' });
  });

  it('is asked about by its strong tag', async () => {
    now = await stage(
      serving({
        body: 'same',
        headers: [
          ['ETag', '"a"'],
          ['Last-Modified', date],
        ],
      }),
      true,
    );
    await ask();
    await ask('/a', put);
    expect((await ask()).line).toMatch(/fwd-status=304; stored/);
    expect(now.asked()[2]).toMatch(/If-None-Match: "a"/i);
    expect(now.asked()[2]).not.toMatch(/If-Modified-Since/i);
  });
});

describe('a 304 that names other tags', () => {
  const known = (groups: string): Pair[] => [
    ['ETag', '"a"'],
    ['Cache-Groups', groups],
  ];
  const fresh: Pair = ['Cache-Control', 'max-age=60'];

  it.each(['GET', 'HEAD'])('has them count from then on, as %s does', async (method) => {
    now = await stage(
      [
        said('max-age=10', 'one', known('"red"')),
        answer(method === 'GET' ? 304 : 200, [...known('"red", "blue"'), fresh]),
        ...(method === 'GET' ? [] : [said('max-age=60', 'one', known('"red", "blue"'))]),
        answer(204, [['Cache-Group-Invalidation', '"blue"']]),
        said('max-age=60', 'two', known('"red", "blue"')),
      ],
      true,
    );
    await ask();
    now.clock.advance(15_000);
    await ask('/a', { method });
    await ask();
    expect(await ask()).toMatchObject({ text: 'one', line: 'tidegate; hit; ttl=60' });
    await ask('/other', { method: 'POST', body: 'x' });
    expect((await ask()).text).toBe('two');
  });
});
