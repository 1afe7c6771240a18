import { expect, test } from 'vitest';
import { ManualClock } from '../testkit/index.ts';
import { SourceBoard } from './board.ts';
import type { SourceNews } from './news.ts';
import { encodeStanding } from './standing.ts';

const STANDING = {
  mapping: 'm',
  position: '0/1',
  closed: false,
  state: 'streaming',
  error: null,
  age: 0,
} as const;
const followed = (settle = 0) => ({ shop: { settle, maxLag: null } });

function boardThatHasHeard() {
  const clock = new ManualClock();
  const announced: SourceNews[] = [];
  const board = new SourceBoard({ clock, announce: async (news) => void announced.push(...news) });
  board.standing(new Map([['shop', encodeStanding(STANDING)]]), Promise.resolve());
  return { board, clock, announced };
}

test('workers are told what the log said of a source before the config named it', () => {
  const { board, announced } = boardThatHasHeard();
  expect(announced).toEqual([]);
  board.follow(followed());
  expect(announced).toMatchObject([{ name: 'shop', mapping: 'm', closed: false }]);
  board.follow(followed());
  expect(announced).toHaveLength(1);
});

test('of one that settles, that nothing of it may be answered until what had begun before is over', () => {
  const { board, clock, announced } = boardThatHasHeard();
  board.follow(followed(500));
  expect(announced.at(-1)).toMatchObject({ name: 'shop', closed: true });
  clock.advance(500);
  expect(announced.at(-1)).toMatchObject({ name: 'shop', closed: false });
  board.stop();
});
