import { expect, test } from 'vitest';
import { DeliverySequence, type Verdict } from './sequence.ts';

function verdicts(...messages: [stream: number, delivery: number, redelivered?: boolean][]): Verdict[] {
  const sequence = new DeliverySequence();
  return messages.map(([stream, delivery, redelivered = false]) =>
    sequence.next({ stream, delivery, redelivered }),
  );
}

test('messages one after the other are complete, wherever they begin', () => {
  expect(verdicts([5, 1], [6, 2], [7, 3])).toEqual(['next', 'next', 'next']);
});

test('a stream number that is left out though no delivery is was dropped by a limit', () => {
  expect(verdicts([1, 1], [3, 2])).toEqual(['next', 'dropped']);
});

test('what was dropped since an earlier reader ended is noticed by the first message', () => {
  const sequence = new DeliverySequence();
  sequence.goOnFrom(2, 2);
  expect(sequence.next({ stream: 4, delivery: 3, redelivered: false })).toBe('dropped');
  sequence.goOnFrom(9, 9);
  sequence.beginsAt(7);
  expect(sequence.next({ stream: 7, delivery: 4, redelivered: false })).toBe('next');
});

test('a delivery that is left out went to another reader, or comes again', () => {
  expect(verdicts([1, 1], [3, 3], [2, 4, true], [4, 5])).toEqual(['next', 'elsewhere', 'next', 'next']);
});

test('what was dropped is noticed among messages that went to another reader', () => {
  expect(verdicts([1, 1], [4, 3])).toEqual(['next', 'dropped']);
});
