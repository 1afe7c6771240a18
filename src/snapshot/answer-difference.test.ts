import { brotliCompressSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { Answered } from '../cache/index.ts';
import { compileDifference } from './answer-difference.ts';

const json = (value: unknown): Answered => ({
  status: 200,
  headers: ['Content-Type', 'application/json'],
  body: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
});
const text = (body: string): Answered => ({
  status: 200,
  headers: ['Content-Type', 'text/plain'],
  body: Buffer.from(body),
});
const difference = (kept: Answered, origin: Answered, ...ignored: string[]) =>
  compileDifference(ignored, true)(kept, origin);

it.each([
  ['spaces and order of members', '{"a":1,"b":[2]}', '{ "b": [2], "a": 1 }'],
  ['one number in two spellings', '{"a":1,"b":100}', '{"a":1.0,"b":1e2}'],
  ['escapes', '"\\u0041"', '"A"'],
])('JSON is compared by what it is worth: %s', (_what, kept, origin) => {
  expect(difference(json(kept), json(origin))).toBeNull();
});

it.each([
  [{ a: 1 }, { a: 2 }, { at: 'body.a', kept: '1', origin: '2' }],
  [{ a: 1 }, { a: '1' }, { at: 'body.a', kept: '1', origin: '"1"' }],
  [{ a: 1, b: 2 }, { a: 1 }, { at: 'body.b', kept: '2', origin: 'absent' }],
  [{ a: null }, {}, { at: 'body.a', kept: 'null', origin: 'absent' }],
  [[{ n: 1 }, { n: 2 }], [{ n: 1 }, { n: 3 }], { at: 'body[1].n', kept: '2', origin: '3' }],
  [[1], [1, {}], { at: 'body[1]', kept: 'absent', origin: 'an object' }],
  [{ a: [] }, { a: {} }, { at: 'body.a', kept: 'a list', origin: 'an object' }],
  [
    '9007199254740993',
    '9007199254740992',
    { at: 'body', kept: '9007199254740993', origin: '9007199254740992' },
  ],
])('the first difference is told: %j and %j', (kept, origin, told) => {
  expect(difference(json(kept), json(origin))).toEqual(told);
});

it('what is told of a value has a bound', () => {
  const found = difference(json({ a: 'x'.repeat(1_000) }), json({ a: 'y' }));
  expect(found!.kept).toHaveLength(64);
});

it('members that are ignored are left out wherever their names stand so', () => {
  const kept = json({ at: 1, meta: { id: 1 }, items: [{ at: 1, meta: { id: 4 } }] });
  const origin = json({ at: 2, meta: { id: 2 }, items: [{ at: 3, meta: { id: 5 } }] });
  expect(difference(kept, origin, 'at', 'meta.id')).toBeNull();
  expect(difference(kept, origin, 'at', 'items.meta.id')).toMatchObject({ at: 'body.meta.id' });
  expect(difference(kept, origin, 'meta')).toMatchObject({ at: 'body.at' });
  expect(difference(json({ at: 1 }), json({}), 'at')).toBeNull();
});

it('other content is compared byte by byte, and nothing of it is told', () => {
  expect(difference(text('abc'), text('abc'))).toBeNull();
  expect(difference(text('abc'), text('abd'))).toEqual({ at: 'byte 2' });
  expect(difference(text('abc'), text('abcd'))).toEqual({ at: 'byte 3' });
});

it('codings make no difference, statuses and media types do', () => {
  const plain = json({ a: 1 });
  const coded = (name: string, body: Buffer) => ({
    ...plain,
    headers: [...plain.headers, 'Content-Encoding', name],
    body,
  });
  expect(
    difference(coded('gzip', gzipSync(plain.body!)), coded('br', brotliCompressSync(plain.body!))),
  ).toBeNull();
  expect(difference(plain, { ...plain, status: 404 })).toEqual({ at: 'status', kept: '200', origin: '404' });
  expect(difference(plain, text('{"a":1}'))).toMatchObject({ at: 'content-type' });
  const charset = { ...plain, headers: ['content-type', 'Application/JSON; charset=utf-8'] };
  expect(difference(plain, charset)).toBeNull();
});

it('without telling values only the place is told', () => {
  expect(compileDifference([], false)(json({ a: 1 }), json({ a: 2 }))).toEqual({ at: 'body.a' });
});
