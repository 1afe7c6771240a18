import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { Entry } from '../../src/cache/entry.ts';
import { entryOf } from '../../src/cache/fixtures.ts';
import { hitsOf } from '../../src/cache/flow/hit.ts';
import { MemoryStore } from '../../src/cache/store/index.ts';
import { Exchange } from '../../src/http/exchange.ts';
import { repeatedHead } from '../../src/http1/response-head.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const COUNT = 10_000;
const NOW = Date.UTC(2026, 0, 1);

/** Bytes that live: on the heap, and in buffers. */
function living(): number {
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** An entry as a fill makes it: cut out of two messages, its content in the pool of short buffers. */
function filled(i: number, size: number): { key: string; entry: Entry } {
  const asked = Buffer.from(`GET /products/${i}/details HTTP/1.1\r\nCookie: ${'c'.repeat(1500)}`).toString(
    'latin1',
  );
  const said = Buffer.from(
    `Content-Type: application/json\r\nETag: "of-product-${i}"\r\nX-More: ${'m'.repeat(1000)}`,
  ).toString('latin1');
  const url = `https://shop.example${asked.slice(4, asked.indexOf(' ', 5))}`;
  const lines = said.split('\r\n').slice(0, 2);
  const headers = lines.flatMap((line) => line.split(': '));
  const etag = headers[3];
  const body = Buffer.from(Buffer.alloc(size, 'x'));
  const tags = [`product:${i}`, 'a-tag-of-all-products'];
  return { key: `route\0${url}`, entry: entryOf({ url, headers, etag, body, tags }, NOW + i) };
}

function answer(store: MemoryStore, key: string): void {
  const origin = { listener: 'default', scheme: 'http' as const, address: '127.0.0.1', port: 80 };
  const responder = { inform() {}, respond() {} };
  const exchange = new Exchange(origin, responder, 'GET', '/', 'a', 11, [], null, 0);
  const hits = hitsOf(store.get(key)!.only!, store);
  repeatedHead(exchange, hits, hits.reply(NOW).timed, true, NOW);
}

it.each([100, 2000, 20_000])(
  'entries of %i bytes take what is counted for them, asked for or not',
  (size) => {
    const store = new MemoryStore(2 ** 30);
    const before = living();
    const keys: string[] = [];
    for (let i = 0; i < COUNT; i++) {
      const { key, entry } = filled(i, size);
      store.put(key, entry);
      if (i < 100) keys.push(key);
      answer(store, key);
    }
    const taken = living() - before;
    const { bytes, entries } = store.counts();
    expect(entries).toBe(COUNT);
    expect(taken / bytes, `${taken / COUNT} bytes each, ${bytes / COUNT} counted`).toBeLessThan(1.1);
    expect(taken / bytes, `${taken / COUNT} bytes each, ${bytes / COUNT} counted`).toBeGreaterThan(0.6);
    expect(keys.every((key) => store.get(key) !== undefined)).toBe(true);
  },
);

it.each<[what: string, part: (i: number) => Partial<Entry>]>([
  ['many tags', (i) => ({ tags: Array.from({ length: 500 }, (_, at) => `tag:${i}:${at}`) })],
  ['long URLs', (i) => ({ url: `https://shop.example/?q=${'q'.repeat(7000)}${i}` })],
  ['long values of Vary', (i) => ({ varyOn: ['x'], varyValues: [`${'v'.repeat(4000)}${i}`] })],
])('entries with %s take what is counted for them', (_what, part) => {
  const store = new MemoryStore(2 ** 30);
  const before = living();
  for (let i = 0; i < COUNT / 10; i++) {
    const { key, entry } = filled(i, 100);
    store.put(key, { ...entry, ...part(i) });
  }
  const taken = living() - before;
  expect(taken / store.counts().bytes).toBeLessThan(1.25);
});
