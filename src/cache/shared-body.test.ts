import { describe, expect, it } from 'vitest';
import { type BodySink, type BodySource, retained } from '../http/body.ts';
import { Failure } from '../http/errors.ts';
import { SharedBody } from './shared-body.ts';

class Source implements BodySource {
  readonly length = -1;
  sink!: BodySink;
  cancelled = false;
  resumed = 0;
  open(sink: BodySink): void {
    this.sink = sink;
  }
  resume(): void {
    this.resumed++;
  }
  cancel(): void {
    this.cancelled = true;
  }
  send(text: string): boolean {
    const memory = Buffer.from(text);
    const more = this.sink.write(memory, retained);
    // A source may use its memory again at once.
    memory.fill(0);
    return more;
  }
}

class Keeper implements BodySink {
  text = '';
  outcome = 'open';
  full = false;
  write(chunk: Buffer): boolean {
    this.text += chunk.toString();
    return !this.full;
  }
  end(): void {
    this.outcome = 'ended';
  }
  fail(failure: Failure): void {
    this.outcome = failure.code;
  }
}

function setUp(limit = 1000) {
  const source = new Source();
  const stored: (string | null)[] = [];
  const body = new SharedBody(source, limit, {
    finished: (whole) => void stored.push(whole === null ? null : whole.toString()),
  });
  body.start();
  const read = () => {
    const keeper = new Keeper();
    const reader = body.reader();
    reader.open(keeper);
    return { keeper, reader };
  };
  return { source, body, stored, read };
}

describe('one body for many readers', () => {
  it('each gets all of it, whenever it joins', () => {
    const { source, stored, read } = setUp();
    const first = read();
    source.send('ab');
    const second = read();
    source.send('cd');
    source.sink.end(null);
    const third = read();
    for (const { keeper } of [first, second, third])
      expect([keeper.text, keeper.outcome]).toEqual(['abcd', 'ended']);
    expect(stored).toEqual(['abcd']);
  });

  it('a reader that is slow, or leaves, holds nobody back', () => {
    const { source, stored, read } = setUp();
    const slow = read();
    slow.keeper.full = true;
    const leaves = read();
    source.send('ab');
    leaves.reader.cancel();
    expect(source.send('cd')).toBe(true);
    source.sink.end(null);
    expect([slow.keeper.text, stored]).toEqual(['ab', ['abcd']]);
    slow.keeper.full = false;
    slow.reader.resume();
    expect([slow.keeper.text, slow.keeper.outcome]).toEqual(['abcd', 'ended']);
  });

  it('goes on to its end without any reader', () => {
    const { source, stored } = setUp();
    source.send('ab');
    source.sink.end(null);
    expect(stored).toEqual(['ab']);
    expect(source.cancelled).toBe(false);
  });

  it('breaks off for all where its service breaks it off, and is not stored', () => {
    const { source, stored, read } = setUp();
    const { keeper } = read();
    source.send('ab');
    source.sink.fail(new Failure('TG_UPSTREAM_TRUNCATED'));
    expect([keeper.text, keeper.outcome, stored]).toEqual(['ab', 'TG_UPSTREAM_TRUNCATED', [null]]);
  });

  it('one that is too long to keep is passed on whole, at the pace of the slowest, and not stored', () => {
    const { source, stored, body, read } = setUp(10);
    const fast = read();
    const slow = read();
    slow.keeper.full = true;
    const piece = 'x'.repeat(100_000);
    expect(source.send(piece)).toBe(true);
    expect(body.overflowed).toBe(true);
    while (source.send(piece));
    slow.keeper.full = false;
    const before = source.resumed;
    slow.reader.resume();
    expect(source.resumed).toBe(before + 1);
    source.sink.end(null);
    expect(fast.keeper.text.length).toBe(slow.keeper.text.length);
    expect([fast.keeper.outcome, slow.keeper.outcome, stored]).toEqual(['ended', 'ended', [null]]);
  });

  it('one that is too long and that nobody reads is given up', () => {
    const { source, read } = setUp(10);
    const { reader } = read();
    source.send('x'.repeat(20));
    expect(source.cancelled).toBe(false);
    reader.cancel();
    expect(source.cancelled).toBe(true);
  });
});
