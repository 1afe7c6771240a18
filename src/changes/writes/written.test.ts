import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../testkit/index.ts';
import { REMEMBERED } from './note.ts';
import { Written } from './written.ts';

function setUp(most = 3) {
  const clock = new ManualClock();
  const written = new Written(clock, most);
  const hear = (key: string, position: string | null) =>
    written.hear({ source: 'shop', keys: [key], position });
  return { clock, written, hear, of: (key: string) => written.positionsOf('shop', key) };
}

describe('what clients have written', () => {
  it('is remembered by client: of two notes about one the later holds', () => {
    const { hear, of, written } = setUp();
    hear('ada', '0/1');
    hear('bob', null);
    hear('ada', '0/2');
    expect([of('ada'), of('bob'), of('eve')]).toEqual([['0/2'], [null], []]);
    expect(written.positionsOf('stock', 'ada')).toEqual([]);
  });

  it('is forgotten after a time, or when the source is beyond it', () => {
    const { clock, hear, of, written } = setUp();
    hear('ada', '0/1');
    clock.advance(REMEMBERED - 1);
    hear('bob', '0/2');
    expect(of('ada')).toEqual(['0/1']);
    clock.advance(1);
    expect([of('ada'), of('bob')]).toEqual([[], ['0/2']]);
    written.forget('shop', 'bob');
    expect([of('bob'), written.isQuiet('stock')]).toEqual([[], true]);
  });

  it('counts for everyone where there are more clients than can be told apart', () => {
    const { clock, hear, of } = setUp(3);
    for (const key of ['a', 'b', 'c']) hear(key, `0/${key}`);
    hear('d', '0/d');
    for (const key of ['a', 'b', 'c', 'd', 'never']) expect(of(key)).toEqual(['0/d']);
    hear('a', '0/e');
    expect(of('a')).toEqual(['0/e', '0/d']);
    clock.advance(REMEMBERED);
    expect(of('a')).toEqual([]);
  });
});
