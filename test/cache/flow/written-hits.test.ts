import { afterEach, describe, expect, it } from 'vitest';
import { answer, type RawResponse, rawClient } from '../../../src/testkit/index.ts';
import { type Stage, stage } from './stage.ts';

let now: Stage;
afterEach(() => now.close());

const fresh = (body: string, headers: [string, string][] = []) =>
  answer(200, [['Cache-Control', 'max-age=60'], ['Content-Type', 'text/plain'], ...headers], body);
const field = ({ headers }: RawResponse, wanted: string) =>
  headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);

describe('a hit that is written from kept text', () => {
  it('tells the age and the time left of its own moment, hit after hit', async () => {
    now = await stage(fresh('one'), true);
    await now.ask();
    const told: string[] = [];
    for (let i = 0; i < 3; i++) {
      const hit = await now.ask();
      told.push(`${field(hit, 'age')} ${field(hit, 'cache-status')}`);
      now.clock.advance(1_500);
    }
    expect(told).toEqual(['0 tidegate; hit; ttl=60', '1 tidegate; hit; ttl=58', '3 tidegate; hit; ttl=57']);
  });

  it('says what the first answer said, once, with a request id of its own', async () => {
    now = await stage(
      fresh('one', [
        ['X-Shop', 'open'],
        ['Date', 'Thu, 01 Jan 2026 00:00:00 GMT'],
      ]),
      true,
    );
    await now.ask();
    const [one, other] = [await now.ask(), await now.ask()];
    for (const name of [
      'content-type',
      'x-shop',
      'date',
      'content-length',
      'x-request-id',
      'age',
      'cache-status',
    ])
      expect(field(one, name), name).toHaveLength(1);
    expect(field(one, 'content-length')).toEqual(['3']);
    expect(field(one, 'x-request-id')).not.toEqual(field(other, 'x-request-id'));
    expect(other.body.toString()).toBe('one');
  });

  it('comes after what caches before it say of themselves (RFC 9211 §2)', async () => {
    now = await stage(fresh('one', [['cache-status', 'Origin; hit']]), true);
    await now.ask();
    const told = ['Origin; hit', 'tidegate; hit; ttl=60'];
    for (let i = 0; i < 2; i++) expect(field(await now.ask(), 'cache-status')).toEqual(told);
  });

  it('tells its own time beside others of another age and lifetime', async () => {
    const lives = (path: string) => (path === '/short' ? 'max-age=90' : 'max-age=2000');
    now = await stage(
      (exchange) =>
        exchange.send(
          answer(200, [['Cache-Control', lives(exchange.request.target)]], exchange.request.target),
        ),
      true,
    );
    await now.ask('/short');
    now.clock.advance(31_000);
    await now.ask('/long');
    for (let i = 0; i < 3; i++) {
      const [short, long] = [await now.ask('/short'), await now.ask('/long')];
      expect(field(short, 'cache-status')).toEqual([`tidegate; hit; ttl=${59 - i}`]);
      expect(field(long, 'cache-status')).toEqual([`tidegate; hit; ttl=${2000 - i}`]);
      expect([short, long].map((hit) => field(hit, 'age'))).toEqual([[`${31 + i}`], [`${i}`]]);
      now.clock.advance(1000);
    }
  });

  it('has what the route adds to answers, and not what it takes away', async () => {
    const response = { headers: { set: { 'X-Added': 'here' }, remove: ['X-Shop'] } };
    now = await stage(fresh('one', [['X-Shop', 'open']]), true, { response });
    await now.ask();
    for (let i = 0; i < 2; i++) {
      const hit = await now.ask();
      expect(field(hit, 'x-added')).toEqual(['here']);
      expect(field(hit, 'x-shop')).toEqual([]);
      expect(field(hit, 'cache-status')).toEqual(['tidegate; hit; ttl=60']);
    }
  });

  it.each([0, 1, 16 * 1024, 16 * 1024 + 1, 300 * 1024])('brings a body of %i bytes whole', async (length) => {
    const body = 'x'.repeat(length);
    now = await stage(fresh(body), true);
    await now.ask();
    const hit = await now.ask();
    expect(field(hit, 'cache-status')).toEqual(['tidegate; hit; ttl=60']);
    expect(hit.body.toString()).toBe(body);
  });

  it('brings every byte as it came', async () => {
    const body = 'h\u00e9llo \u{1f30a}';
    now = await stage(Buffer.from(fresh(body)), true);
    await now.ask();
    expect((await now.ask()).body.toString()).toBe(body);
  });

  it('keeps its place among pipelined ones, however much they are together', async () => {
    now = await stage(
      (exchange) => exchange.send(fresh(exchange.request.target.slice(1).repeat(12_000))),
      true,
    );
    for (const path of ['/a', '/b']) await now.ask(path);
    const client = await rawClient({ port: now.gateway.port });
    const paths = Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? '/a' : '/b'));
    await client.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: shop.test\r\n\r\n`).join(''));
    for (const path of paths)
      expect((await client.response()).body.toString()).toBe(path.slice(1).repeat(12_000));
    client.close();
  });

  it('tells an HTTP/1.0 client that the connection stays only where it asked for that', async () => {
    now = await stage(fresh('one'), true);
    await now.ask();
    const client = await rawClient({ port: now.gateway.port });
    await client.send('GET /a HTTP/1.0\r\nHost: shop.test\r\nConnection: keep-alive\r\n\r\n');
    expect(field(await client.response(), 'connection')).toEqual(['keep-alive']);
    await client.send('GET /a HTTP/1.0\r\nHost: shop.test\r\n\r\n');
    expect(field(await client.response(), 'connection')).toEqual(['close']);
    client.close();
  });
});
