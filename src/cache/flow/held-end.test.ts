import { describe, expect, it } from 'vitest';
import { type BodySink, type BodySource, type Retain, retained } from '../../http/body.ts';
import { Failure } from '../../http/errors.ts';
import { HeldEnd } from './held-end.ts';

class Source implements BodySource {
  readonly length: number;
  sink!: BodySink;
  cancelled = false;
  resumed = 0;
  constructor(length: number) {
    this.length = length;
  }
  open(sink: BodySink): void {
    this.sink = sink;
  }
  resume(): void {
    this.resumed++;
  }
  cancel(): void {
    this.cancelled = true;
  }
}

class Reader implements BodySink {
  readonly heard: string[] = [];
  write(chunk: Buffer): boolean {
    this.heard.push(chunk.toString());
    return false;
  }
  end(): void {
    this.heard.push('end');
  }
  fail({ code }: Failure): void {
    this.heard.push(code);
  }
}

function setUp(length: number) {
  const source = new Source(length);
  const reader = new Reader();
  const { promise, resolve } = Promise.withResolvers<void>();
  let begun = 0;
  const body = new HeldEnd(source, () => {
    begun++;
    return promise;
  });
  body.open(reader);
  const done = async () => {
    resolve();
    await promise;
    await Promise.resolve();
  };
  return { source, reader, body, done, begun: () => begun };
}

describe('content whose end is held', () => {
  it('passes on all but the bytes that complete it, where its length is known', async () => {
    const { source, reader, done, begun } = setUp(6);
    expect(source.sink.write(Buffer.from('abc'), retained)).toBe(false);
    expect(begun()).toBe(0);
    expect(source.sink.write(Buffer.from('def'), retained)).toBe(true);
    source.sink.end(null);
    expect([reader.heard, begun()]).toEqual([['abc'], 1]);
    await done();
    expect(reader.heard).toEqual(['abc', 'def', 'end']);
  });

  it('keeps the memory of what it holds', async () => {
    const { source, reader, done } = setUp(3);
    let kept = 0;
    const retain: Retain = { retain: () => void kept++ };
    source.sink.write(Buffer.from('abc'), retain);
    expect(kept).toBe(1);
    await done();
    source.sink.end(null);
    expect(reader.heard).toEqual(['abc', 'end']);
  });

  it('holds the end alone, where that tells the length', async () => {
    const { source, reader, body, done } = setUp(-1);
    source.sink.write(Buffer.from('abc'), retained);
    body.resume();
    source.sink.end(null);
    body.resume();
    expect([reader.heard, source.resumed]).toEqual([['abc'], 1]);
    await done();
    expect(reader.heard).toEqual(['abc', 'end']);
  });

  it('holds a failure as it holds the end', async () => {
    const { source, reader, done } = setUp(6);
    source.sink.write(Buffer.from('abc'), retained);
    source.sink.fail(new Failure('TG_UPSTREAM_RESET', 'it broke'));
    expect(reader.heard).toEqual(['abc']);
    await done();
    expect(reader.heard).toEqual(['abc', 'TG_UPSTREAM_RESET']);
  });

  it('tells nobody who wants no more, and begins all the same what was to be done at its end', async () => {
    const { source, reader, body, done, begun } = setUp(3);
    source.sink.write(Buffer.from('abc'), retained);
    source.sink.end(null);
    body.cancel();
    body.cancel();
    await done();
    expect([reader.heard, source.cancelled, begun()]).toEqual([[], true, 1]);
    const early = setUp(3);
    early.body.cancel();
    expect(early.begun()).toBe(1);
  });
});
