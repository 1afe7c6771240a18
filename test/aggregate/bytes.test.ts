import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { answer, type Script } from '../../src/testkit/index.ts';
import { bodyOf, json, type Stage, stage } from './stage.ts';

describe('what a service answered', () => {
  let on: Stage | undefined;
  afterEach(() => on?.close());

  const one = (call: object = {}) => ({ calls: { part: { to: 'shop', path: '/part', ...call } } });
  const coded =
    (coding: string, bytes: Buffer): Script =>
    async ({ connection }) => {
      await connection.send(
        Buffer.concat([
          Buffer.from(
            `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${bytes.length}\r\n\r\n`,
          ),
          bytes,
        ]),
      );
    };

  it.each([
    '{"n": 1.0, "e": 1e400, "i": 123456789012345678901234567890, "f": 0.1000}',
    ' [ 1 , "\\u00e9\\/" , {} ]\n',
    '"text"',
    '-0',
    'null',
  ])('%s is passed on byte for byte where nothing looks into it', async (text) => {
    on = await stage(
      { shop: json(text) },
      { ...one(), body: '{"a": part.body, "b": [true ? part.body : 1]}' },
    );
    expect((await on.ask()).body.toString()).toBe(`{"a":${text},"b":[${text}]}`);
    await on.close();
    on = await stage({ shop: json(text) }, one());
    expect((await on.ask()).body.toString()).toBe(`{"part":${text}}`);
  });

  it.each([
    ['an empty body', '200 OK', 'Content-Length: 0\r\n'],
    ['no content', '204 No Content', ''],
  ])('is null where it is %s, though it names a coding', async (_, status, framing) => {
    on = await stage(
      { shop: `HTTP/1.1 ${status}\r\nContent-Encoding: gzip\r\n${framing}\r\n` },
      { ...one(), body: '{"status": part.status, "body": part.body}' },
    );
    const response = await on.ask();
    expect(response.body.toString()).toBe(`{"status":${status.slice(0, 3)},"body":null}`);
  });

  it('is passed on byte for byte in a list too', async () => {
    on = await stage(
      { shop: json('{"n": 1.0}') },
      { ...one({ each: '[1, 2]', path: '/{item}' }), body: 'part.map(p, p.body)' },
    );
    expect((await on.ask()).body.toString()).toBe('[{"n": 1.0},{"n": 1.0}]');
  });

  it('keeps an integer of any size exact where an expression looks at it', async () => {
    on = await stage(
      { shop: json('{"id": 9007199254740993, "big": 123456789012345678901234567890}') },
      {
        ...one(),
        body: '{"id": part.body.id, "next": part.body.id + 1, "big": part.body.big, "whole": part.body.id == 9007199254740993}',
      },
    );
    expect((await on.ask()).body.toString()).toBe(
      '{"id":9007199254740993,"next":9007199254740994,"big":123456789012345678901234567890,"whole":true}',
    );
  });

  it('is passed on with a number beyond all doubles, and may be looked into beside it', async () => {
    on = await stage(
      { shop: json('{"id": 7, "far": 1e400}') },
      { ...one(), body: '{"id": part.body.id, "isFar": part.body.far > 1.0, "part": part.body}' },
    );
    expect((await on.ask()).body.toString()).toBe('{"id":7,"isFar":true,"part":{"id": 7, "far": 1e400}}');
  });

  it('keeps its numbers as they were spelt where an expression takes it apart, and reckons with them', async () => {
    const spelt = '{"price": 19.90, "rate": 0.12345678901234567890, "far": 1e400, "list": [1.0, 2.50, 3.5]}';
    on = await stage(
      { shop: json(`{"one": ${spelt}, "many": [${spelt}], "twin": {"n": 1.0, "n": 2.5}}`) },
      {
        ...one(),
        body: `{
          "one": part.body.one,
          "dear": part.body.many.filter(m, m.price > 19.5),
          "prices": part.body.many.map(m, m.price),
          "rate": part.body.one["rate"],
          "some": pick(part.body.one, ["price", "far"]),
          "less": omit(part.body.one, ["rate", "list", "far"]),
          "both": merge(part.body.one, {"price": 1.5, "rate": 0, "far": null}),
          "joined": merge(part.body.twin, {"n": part.body.one.price, "far": {"x": part.body.one.far}}),
          "merged": merge(part.body.twin, {"n": part.body.one.price, "all": part.body}).omit(["all"]),
          "twin": part.body.twin,
          "double": part.body.one.price * 2.0
        }`,
      },
    );
    const dense = spelt.replaceAll(' ', '');
    expect((await on.ask()).body.toString()).toBe(
      `{"one":${dense},"dear":[${dense}],"prices":[19.90],"rate":0.12345678901234567890,` +
        '"some":{"price":19.90,"far":1e400},"less":{"price":19.90},' +
        '"both":{"price":1.5,"rate":0,"far":null,"list":[1.0,2.50,3.5]},"joined":{"n":19.90,"far":{"x":1e400}},"merged":{"n":19.9},"twin":{"n":2.5},"double":39.8}',
    );
  });

  it.each([
    ['a list', '{"parts": [{"id": 1, "n": 1.0}, {"id": 2, "n": 9007199254740993.50}]}', 'part.id'],
    [
      'an object',
      '{"parts": {"1": {"id": 1, "n": 1.0}, "2": {"id": 2, "n": 9007199254740993.50}}}',
      undefined,
    ],
  ])('keeps its numbers as they were spelt in the parts of a batch that are %s', async (_, text, partKey) => {
    const batch = { key: 'item', parts: 'response.body.parts', ...(partKey && { partKey }) };
    on = await stage(
      { shop: json(text) },
      { calls: { rows: { to: 'shop', path: '/rows', each: '[1, 2]', batch } } },
    );
    expect((await on.ask()).body.toString()).toBe(
      '{"rows":[{"id":1,"n":1.0},{"id":2,"n":9007199254740993.50}]}',
    );
  });

  it('keeps a number as it was spelt that is the part of a batch itself', async () => {
    on = await stage(
      { shop: json('{"1": 19.90, "2": 1.5, "3": 1e400}') },
      {
        calls: { rows: { to: 'shop', path: '/rows', each: '[1, 2, 3]', batch: { key: 'item' } } },
        body: '{"all": rows.map(r, r.body), "sum": rows[0].body + rows[1].body}',
      },
    );
    expect((await on.ask()).body.toString()).toBe('{"all":[19.90,1.5,1e400],"sum":21.4}');
  });

  it('keeps the numbers of the client as they were spelt', async () => {
    on = await stage(
      { shop: json({}) },
      one({ method: 'POST', body: '{"amount": request.body.amount, "lines": request.body.lines}' }),
      { route: { match: { path: '/page/*', method: 'POST' } } },
    );
    await on.ask('POST /page/1', [], '{"amount": 10.00, "lines": [{"price": 0.10}]}');
    expect(on.origins.shop!.requests[0]!.body.toString()).toBe('{"amount":10.00,"lines":[{"price":0.10}]}');
  });

  it('is passed on with the last alone of members that stand twice, looked into or not', async () => {
    on = await stage(
      { shop: json('{"a": 1, "b": 2.0, "a": {"c": 3, "c": 4}}') },
      { ...one(), body: '{"whole": part.body, "a": part.body.a}' },
    );
    expect((await on.ask()).body.toString()).toBe('{"whole":{ "b": 2.0, "a": { "c": 4}},"a":{"c":4}}');
  });

  it.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then'])(
    'may have a member %s like any other',
    async (name) => {
      const text = `{"${name}": {"polluted": true}, "x": 1}`;
      on = await stage(
        { shop: json(text) },
        {
          ...one(),
          body: `{"whole": part.body, "it": part.body["${name}"], "has": has(part.body["${name}"]), "all": part.body.map(k, k), "merged": merge(part.body, {"y": 2})}`,
        },
      );
      const response = await on.ask();
      expect(response.body.toString()).toBe(
        `{"whole":${text},"it":{"polluted":true},"has":true,"all":["${name}","x"],"merged":{"${name}":{"polluted":true},"x":1,"y":2}}`,
      );
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    },
  );

  it('is null where it is empty, whatever its status', async () => {
    on = await stage(
      { shop: ['HTTP/1.1 204 No\r\n\r\n', answer(200)] },
      {
        calls: {
          a: { to: 'shop', path: '/a' },
          b: { to: 'shop', path: '/b' },
          c: { to: 'shop', path: '/c', read: 'text' },
        },
      },
    );
    expect(bodyOf(await on.ask())).toEqual({ a: null, b: null, c: null });
  });

  it('is taken as text, or in base64, where that is said', async () => {
    on = await stage(
      { shop: Buffer.from(answer(200, [['Content-Type', 'text/csv']], 'a,"b"\nü')) },
      {
        calls: { a: { to: 'shop', path: '/a', read: 'text' }, b: { to: 'shop', path: '/b', read: 'base64' } },
        body: '{"a": a.body, "size": size(a.body), "b": b.body}',
      },
    );
    expect(bodyOf(await on.ask())).toEqual({
      a: 'a,"b"\nü',
      size: 7,
      b: Buffer.from('a,"b"\nü').toString('base64'),
    });
  });

  it('may begin with a byte order mark', async () => {
    on = await stage({ shop: Buffer.from(answer(200, [], '\ufeff{"a":1}')) }, one());
    expect((await on.ask()).body.toString()).toBe('{"part":{"a":1}}');
  });

  it.each([
    ['gzip', gzipSync('{"a":1}')],
    ['x-gzip', gzipSync('{"a":1}')],
    ['deflate', deflateSync('{"a":1}')],
    ['br', brotliCompressSync('{"a":1}')],
    ['gzip, br', brotliCompressSync(gzipSync('{"a":1}'))],
    ['identity', Buffer.from('{"a":1}')],
  ])('is decoded where it comes in %s unasked', async (coding, bytes) => {
    on = await stage({ shop: coded(coding, bytes) }, one());
    expect(bodyOf(await on.ask())).toEqual({ part: { a: 1 } });
  });

  it.each([
    ['a bomb', 'gzip', gzipSync(Buffer.alloc(50_000_000, ' ')), 'tooLarge'],
    ['bombs in each other', 'br, br, br, br', brotliCompressSync('1'), 'invalid'],
    ['a cut coding', 'gzip', gzipSync('{"a":1}').subarray(0, 12), 'truncated'],
    ['nonsense', 'gzip', Buffer.from('nonsense'), 'invalid'],
    ['an unknown coding', 'x-own', Buffer.from('{"a":1}'), 'invalid'],
  ])('%s fails its call', async (_what, coding, bytes, kind) => {
    on = await stage({ shop: coded(coding, bytes) }, one({ maxBody: '1MiB' }));
    expect(bodyOf(await on.ask())).toMatchObject({ call: 'part', kind });
  });

  it('is bounded by maxBody, whether its length is said or not', async () => {
    const chunked = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'5\r\n[1,2,\r\n'.repeat(50)}`;
    on = await stage({ shop: [json('[1,2,3,4,5,6]'), chunked, json('[1,2,3,4]')] }, one({ maxBody: '10B' }));
    expect(bodyOf(await on.ask())).toMatchObject({ kind: 'tooLarge' });
    expect(bodyOf(await on.ask())).toMatchObject({ kind: 'tooLarge' });
    expect(bodyOf(await on.ask())).toEqual({ part: [1, 2, 3, 4] });
  });

  it.each([301, 302, 304, 404, 500])(
    '%i is a failure of its call: redirects are not followed',
    async (status) => {
      on = await stage({ shop: answer(status, [['Location', '/other']], status === 304 ? '' : '{}') }, one());
      expect(bodyOf(await on.ask())).toMatchObject({ call: 'part', kind: 'status' });
      expect(on.asked('shop')).toEqual(['/part']);
    },
  );

  it('is refused where it nests without end, with all its bytes read', async () => {
    on = await stage({ shop: json('['.repeat(200_000)) }, one());
    expect(bodyOf(await on.ask())).toMatchObject({ kind: 'notJson' });
  });
});
