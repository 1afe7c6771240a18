import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, type Message, merged, NOTHING } from './message.ts';

const of = (part: Partial<Message>): Message => ({ ...NOTHING, floor: null, ...part });

describe('what goes through the log', () => {
  it.each([
    of({ tags: ['a', 'b'] }),
    of({ tags: ['a'], early: true }),
    of({ prefixes: ['/a/'], soft: true }),
    of({ all: true, floor: 'a gap' }),
  ])('is read as it was written: %j', (message) => {
    expect(decodeMessage(encodeMessage(message))).toEqual(message);
  });

  it('of a version that says more, is all that this one knows', () => {
    expect(decodeMessage('{"t":["a"],"z":1}')).toEqual(of({ tags: ['a'] }));
    expect(decodeMessage('no JSON')).toBeNull();
  });

  it('goes together only with its like: what comes again is not taken for what has come, nor soft for hard', () => {
    const [a, b] = [of({ tags: ['a'] }), of({ tags: ['b'] })];
    expect(merged(a, b)).toEqual(of({ tags: ['a', 'b'] }));
    expect(merged({ ...a, early: true }, { ...b, early: true })).toEqual(
      of({ tags: ['a', 'b'], early: true }),
    );
    for (const unlike of [{ early: true }, { soft: true }] as const) {
      expect(merged(a, { ...b, ...unlike })).toBeNull();
      expect(merged({ ...a, ...unlike }, b)).toBeNull();
    }
  });
});
