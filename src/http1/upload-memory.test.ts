import { expect, it } from 'vitest';
import { UploadMemory } from './upload-memory.ts';

/** As many as a process lends. */
function lendAll(): UploadMemory[] {
  const all: UploadMemory[] = [];
  for (;;) {
    const one = new UploadMemory();
    if (one.take() === null) return all;
    all.push(one);
  }
}

it('an upload keeps its memory until it gives it back; then the next has it', () => {
  const [one, next] = [new UploadMemory(), new UploadMemory()];
  const memory = one.take()!;
  expect(memory).toHaveLength(256 * 1024);
  expect(one.take()).toBe(memory);
  expect(one.lent).toBe(memory);
  one.giveBack();
  expect(one.lent).toBeNull();
  expect(next.take()).toBe(memory);
  next.giveBack();
});

it('memory that somebody still looks at goes to nobody', () => {
  const one = new UploadMemory();
  const memory = one.take();
  one.giveAway();
  expect(one.take()).not.toBe(memory);
  one.giveBack();
});

it('64 have memory of their own at once, however the ones before them ended', () => {
  for (const end of ['giveBack', 'giveAway', 'giveBack'] as const) {
    const all = lendAll();
    expect(all).toHaveLength(64);
    for (const one of all) one[end]();
    // Once is enough.
    for (const one of all) one[end]();
  }
});
