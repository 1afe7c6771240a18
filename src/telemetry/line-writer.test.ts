import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { until } from '../testkit/index.ts';
import { DescriptorWriter } from './line-writer.ts';

type Done = (error: Error | null, written: number) => void;

/** A descriptor that takes bytes when told to. */
function descriptor() {
  const calls: { text: string; done: Done }[] = [];
  const writer = new DescriptorWriter(9, (_, bytes, offset, done) => {
    calls.push({ text: bytes.subarray(offset).toString(), done });
  });
  return { calls, writer };
}

const failure = (code: string) => Object.assign(new Error(code), { code });

test('lines that come while one is written go out together, in order, also when only a part is taken', async () => {
  const { calls, writer } = descriptor();
  writer.write('one\n');
  expect(calls, 'the turn that a line comes in').toHaveLength(0);
  await nextTurn();
  writer.write('two\n');
  writer.write('three\n');
  expect(calls.map(({ text }) => text)).toEqual(['one\n']);
  calls[0]!.done(null, 2);
  expect(calls[1]!.text).toBe('e\n');
  calls[1]!.done(null, 2);
  expect(calls[2]!.text).toBe('two\nthree\n');
  const flushed = writer.flush(1000);
  calls[2]!.done(null, 10);
  expect(await flushed).toBe(true);
  expect(await writer.flush(0)).toBe(true);
});

test('a full descriptor is tried again, and a reader that has gone is no error', async () => {
  const { calls, writer } = descriptor();
  writer.write('one\n');
  await nextTurn();
  calls[0]!.done(failure('EAGAIN'), 0);
  await until(() => calls.length === 2, 'another try');
  expect(calls[1]!.text).toBe('one\n');
  calls[1]!.done(failure('EPIPE'), 0);
  writer.write('two\n');
  await nextTurn();
  expect(calls).toHaveLength(2);
  expect(await writer.flush(0)).toBe(true);
});

test('what a stuck reader leaves behind is bounded, and the next one is told how much is missing', async () => {
  const { calls, writer } = descriptor();
  writer.write('first\n');
  await nextTurn();
  const line = `${'x'.repeat(1023)}\n`;
  for (let i = 0; i < 2000; i++) writer.write(line);
  expect(await writer.flush(1)).toBe(false);
  calls[0]!.done(null, 6);
  expect(calls[1]!.text.length).toBeLessThanOrEqual(1024 * 1024 + 200);
  expect(calls[1]!.text).toMatch(/"message":"log entries were dropped: nobody read them","count":976/);
});

test('a line that a full disk has cut is ended before the next one, and each is counted once', async () => {
  const calls: { text: string; done: Done }[] = [];
  const lost: [number, string][] = [];
  const writer = new DescriptorWriter(
    9,
    (_, bytes, offset, done) => void calls.push({ text: bytes.subarray(offset).toString(), done }),
    (count, why) => lost.push([count, why]),
  );
  writer.write('one\n');
  await nextTurn();
  calls[0]!.done(null, 2);
  calls[1]!.done(failure('ENOSPC'), 0);
  writer.write('two\n');
  await nextTurn();
  expect(calls[2]!.text).toBe('\ntwo\n');
  calls[2]!.done(failure('ENOSPC'), 0);
  writer.write('three\n');
  await nextTurn();
  expect(calls[3]!.text).toBe('\nthree\n');
  calls[3]!.done(null, 7);
  writer.write('four\n');
  await nextTurn();
  expect(calls[4]!.text).toBe('four\n');
  expect(lost).toEqual([
    [1, 'ENOSPC'],
    [1, 'ENOSPC'],
  ]);
});

test('to a pipe whole lines go out, no more at once than are not mixed with those of others', async () => {
  const written: string[] = [];
  const call = (_: number, bytes: Buffer, offset: number, done: Done) => {
    written.push(bytes.subarray(offset).toString());
    done(null, bytes.length - offset);
  };
  const writer = new DescriptorWriter(9, call, null, 0, 10);
  for (const line of ['1234\n', '5678\n', 'one that is longer\n', '9\n', 'x\n']) writer.write(line);
  await nextTurn();
  expect(written).toEqual(['1234\n5678\n', 'one that is longer\n', '9\nx\n']);
});
