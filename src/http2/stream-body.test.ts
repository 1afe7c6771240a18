import type { Http2Stream } from 'node:http2';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { BodySink } from '../http/body.ts';
import { Failure } from '../http/errors.ts';
import { StreamBody } from './stream-body.ts';

const owner = { endCame: false, bodyMoved() {}, bodyCancelled() {} };
const bodyOf = () => new StreamBody(new PassThrough() as unknown as Http2Stream, -1, 100, owner);

/** What it hears. */
function listener(): BodySink & { heard: unknown[] } {
  const heard: unknown[] = [];
  return {
    heard,
    write: () => true,
    end: () => void heard.push('end'),
    fail: (failure) => void heard.push(failure),
  };
}

test('content that breaks off before it is opened is told so to whoever opens it, an answer may be held meanwhile', () => {
  const body = bodyOf();
  const failure = new Failure('TG_UPSTREAM_TRUNCATED', 'stream reset (CANCEL)');
  body.fail(failure);
  const sink = listener();
  body.open(sink);
  expect(sink.heard).toEqual([failure]);
});

test('content that breaks off once it is open tells that once, and not at all once nobody wants it', () => {
  const failure = new Failure('TG_UPSTREAM_TRUNCATED', 'stream reset (CANCEL)');
  const open = bodyOf();
  const sink = listener();
  open.open(sink);
  open.fail(failure);
  open.fail(failure);
  expect(sink.heard).toEqual([failure]);
  const unwanted = bodyOf();
  const late = listener();
  unwanted.cancel();
  unwanted.fail(failure);
  unwanted.open(late);
  expect(late.heard).toEqual([]);
});
