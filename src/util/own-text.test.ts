import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { Fences } from '../cache/fences/index.ts';
import { Passes } from '../cache/flow/passes.ts';
import { boundedText, ownText } from './own-text.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const COUNT = 10_000;
const MESSAGE = 4000;

/** MiB on the heap. */
function heap(): number {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** A text as it stands in a message of some 4 kB. */
function cutOut(i: number): string {
  const message = Buffer.from(`the-text-of-message-${i} ${'m'.repeat(MESSAGE)}`, 'latin1').toString('latin1');
  return message.slice(0, message.indexOf(' '));
}

describe('an own text', () => {
  it.each([
    '',
    'short',
    'thirteen chars',
    'caf\u00e9 au lait, s\u2019il vous pla\u00eet \u{1f375}',
    'half \ud83c of a pair',
  ])('is equal: %j', (text) => {
    expect(ownText(text)).toBe(text);
  });
});

describe('a bounded text', () => {
  it('stands for one text alone, and is never long', () => {
    const long = 'x'.repeat(8000);
    expect(boundedText('short')).toBe('short');
    expect(boundedText(`${long}1`)).toBe(boundedText(`${long}1`));
    expect(boundedText(`${long}1`)).not.toBe(boundedText(`${long}2`));
    expect(boundedText(long).length).toBeLessThan(100);
  });
});

const fences = new Fences();
const passes = new Passes();

describe('what is remembered of many messages', () => {
  it.each<[what: string, remember: (text: string, i: number) => void]>([
    [
      'tags that were fenced',
      (text, i) => fences.apply(i, { tags: [`tag:${text}`], prefixes: [], all: false, soft: false }),
    ],
    ['keys whose answers can not be stored', (text) => passes.add(`route ${text}`, 0)],
  ])('does not keep the messages: %s', (_what, remember) => {
    const before = heap();
    for (let i = 0; i < COUNT; i++) remember(cutOut(i), i);
    expect(heap() - before).toBeLessThan((COUNT * MESSAGE) / 2 ** 20 / 8);
  });
});
