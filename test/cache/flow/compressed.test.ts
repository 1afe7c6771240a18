import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { answer, headerValue as header } from '../../../src/testkit/index.ts';
import { type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(() => on.close());

const TEXT = Array.from({ length: 200 }, (_, i) => `line ${i} of an answer`).join('\n');
const HEADERS: [string, string][] = [
  ['Content-Type', 'text/plain'],
  ['Cache-Control', 'max-age=60'],
  ['ETag', '"v1"'],
];

async function setUp({
  headers = HEADERS,
  body = TEXT,
  route = {},
  level,
}: {
  headers?: [string, string][];
  body?: string;
  route?: object;
  level?: object;
} = {}): Promise<void> {
  on = await stage(answer(200, headers, body), true, { compress: true, ...route }, level);
  await on.ask();
}

const accepting = (coding: string, ...more: string[]) =>
  on.ask('/a', { headers: [`Accept-Encoding: ${coding}`, ...more] });

describe('a compressed hit', () => {
  it.each([
    ['gzip', gunzipSync],
    ['br', brotliDecompressSync],
    ['zstd', zstdDecompressSync],
  ])('in %s is the same each time, and the origin is asked once', async (coding, decode) => {
    await setUp();
    const first = await accepting(coding);
    const second = await accepting(coding);
    for (const hit of [first, second]) {
      expect(header(hit, 'cache-status')).toMatch(/^tidegate; hit; ttl=/);
      expect(header(hit, 'content-encoding')).toBe(coding);
      expect(header(hit, 'vary')).toBe('Accept-Encoding');
      expect(header(hit, 'etag')).toBe('W/"v1"');
      expect(decode(hit.body).toString()).toBe(TEXT);
    }
    expect(second.body.equals(first.body)).toBe(true);
    expect(on.asked()).toHaveLength(1);
  });

  it('tells its age as it grows', async () => {
    await setUp();
    expect(header(await accepting('br'), 'age')).toBe('0');
    on.clock.advance(7000);
    const later = await accepting('br');
    expect([header(later, 'age'), header(later, 'cache-status')]).toEqual(['7', 'tidegate; hit; ttl=53']);
  });

  it('leaves the plain one to those who take no coding', async () => {
    await setUp();
    await accepting('br');
    const plain = await on.ask();
    expect(header(plain, 'content-encoding')).toBeUndefined();
    expect([header(plain, 'vary'), header(plain, 'etag')]).toEqual(['Accept-Encoding', '"v1"']);
    expect(plain.body.toString()).toBe(TEXT);
  });

  it('says to HEAD what it says to GET', async () => {
    await setUp();
    const got = await accepting('gzip');
    const head = await on.ask('/a', { method: 'HEAD', headers: ['Accept-Encoding: gzip'] });
    for (const name of ['content-length', 'content-encoding', 'etag', 'vary', 'content-type'])
      expect.soft(header(head, name), name).toBe(header(got, name));
    expect(head.body).toHaveLength(0);
    expect(on.asked()).toHaveLength(1);
  });

  it('is confirmed by its weak validator, and the plain one by the strong one', async () => {
    await setUp();
    await accepting('gzip');
    for (const tag of ['W/"v1"', '"v1"']) {
      const confirmed = await accepting('gzip', `If-None-Match: ${tag}`);
      expect([confirmed.status, header(confirmed, 'etag')]).toEqual([304, 'W/"v1"']);
    }
  });

  it('is never cut: ranges are of the plain bytes, and its validator asks for none', async () => {
    await setUp();
    await accepting('gzip');
    const part = await accepting('gzip', 'Range: bytes=0-9');
    expect([part.status, header(part, 'content-encoding')]).toEqual([206, undefined]);
    expect(part.body.toString()).toBe(TEXT.slice(0, 10));
    const other = await accepting('gzip', 'Range: bytes=0-9', 'If-Range: W/"v1"');
    expect([other.status, header(other, 'content-encoding')]).toEqual([200, 'gzip']);
    expect(gunzipSync(other.body).toString()).toBe(TEXT);
  });

  it('is the same under headers that the route sets', async () => {
    await setUp({ route: { response: { headers: { set: { 'x-id': '{request.path}' } } } } });
    const first = await accepting('br');
    const second = await accepting('br');
    expect([header(second, 'x-id'), header(second, 'content-encoding')]).toEqual(['/a', 'br']);
    expect(second.body.equals(first.body)).toBe(true);
  });

  it('of a long answer is made aside, once for all who wait for it', async () => {
    const long = TEXT.repeat(100);
    await setUp({ body: long });
    const hits = await Promise.all(Array.from({ length: 20 }, () => accepting('zstd')));
    for (const hit of hits) expect(zstdDecompressSync(hit.body).toString()).toBe(long);
  });

  it('gives way with its answer where memory is short', async () => {
    await setUp({ level: { memory: '24KiB' } });
    for (let i = 0; i < 6; i++) {
      await on.ask(`/${i}`);
      for (const coding of ['gzip', 'br', 'zstd'])
        expect(
          header(await on.ask(`/${i}`, { headers: [`Accept-Encoding: ${coding}`] }), 'content-encoding'),
        ).toBe(coding);
    }
  });

  it.each<[string, [string, string][]]>([
    [
      'what is coded already',
      [
        ['Content-Type', 'text/plain'],
        ['Content-Encoding', 'identity'],
      ],
    ],
    [
      'no-transform',
      [
        ['Content-Type', 'text/plain'],
        ['Cache-Control', 'max-age=60, no-transform'],
      ],
    ],
    ['images', [['Content-Type', 'image/png']]],
  ])('is never made of %s', async (_what, more) => {
    const headers = [...HEADERS.filter(([name]) => !more.some(([own]) => own === name)), ...more];
    await setUp({ headers });
    for (let i = 0; i < 2; i++) {
      const hit = await accepting('gzip');
      expect(header(hit, 'content-encoding') ?? 'identity').toBe('identity');
      expect(hit.body.toString()).toBe(TEXT);
    }
  });
});
