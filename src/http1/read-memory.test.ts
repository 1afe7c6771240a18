import { expect, it } from 'vitest';
import { giveReadMemory, READ_SIZE, takeReadMemory } from './read-memory.ts';

it('memory that was given back goes to the next connection, and to one at a time', () => {
  const one = takeReadMemory();
  expect(one).toHaveLength(READ_SIZE);
  giveReadMemory(one);
  expect(takeReadMemory()).toBe(one);
  expect(takeReadMemory()).not.toBe(one);
});

it('no more is kept than for 64 connections', () => {
  const many = Array.from({ length: 100 }, () => takeReadMemory());
  for (const memory of many) giveReadMemory(memory);
  const again = new Set(Array.from({ length: 100 }, () => takeReadMemory()));
  expect(many.filter((memory) => again.has(memory))).toHaveLength(64);
});
