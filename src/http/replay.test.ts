import { expect, it } from 'vitest';
import type { BodySink, BodySource, Retain } from './body.ts';
import { ReplayBody } from './replay.ts';

/** A source whose memory is written over as soon as a chunk was taken, unless its taker asked for it. */
class Overwriting implements BodySource {
  readonly length = -1;
  asked = 0;
  private sink!: BodySink;

  open(sink: BodySink): void {
    this.sink = sink;
  }

  resume(): void {}

  cancel(): void {}

  give(text: string): void {
    const memory = Buffer.from(text);
    const before = this.asked;
    const retain: Retain = { retain: () => void this.asked++ };
    this.sink.write(memory, retain);
    if (this.asked === before) memory.fill('-');
  }
}

/** Keeps all it gets as a socket does that can't send at the moment. */
class Keeping implements BodySink {
  readonly chunks: Buffer[] = [];

  write(chunk: Buffer, retain: Retain): boolean {
    retain.retain();
    this.chunks.push(chunk);
    return true;
  }

  end(): void {}

  fail(): void {}

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

it('a body that is kept for another try costs its source no memory, one over the bound asks for it', () => {
  const source = new Overwriting();
  const body = new ReplayBody(source, 5);
  const first = new Keeping();
  body.attempt().open(first);
  source.give('abc');
  source.give('de');
  expect(source.asked).toBe(0);
  const second = new Keeping();
  body.attempt().open(second);
  source.give('fgh');
  source.give('ij');
  expect(source.asked).toBe(2);
  expect(first.text).toBe('abcde');
  expect(second.text).toBe('abcdefghij');
  expect(body.replayable).toBe(false);
});
