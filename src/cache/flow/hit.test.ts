import { describe, expect, it } from 'vitest';
import { entryOf } from '../fixtures.ts';
import { MemoryStore } from '../store/index.ts';
import { hitsOf } from './hit.ts';

const NOW = Date.UTC(2026, 0, 1);
const LIMIT = 64 * 1024;

/** A store of one entry, and the coded forms of its hits. */
function stored(body: Buffer) {
  const store = new MemoryStore(LIMIT);
  store.put('k', entryOf({ body }, NOW));
  return { store, coded: hitsOf(store.get('k')!.only!, store).reply(NOW).coded! };
}

describe('compressed forms of an entry', () => {
  it('count in the bytes of the store', () => {
    const { store, coded } = stored(Buffer.alloc(1000));
    const { bytes } = store.counts();
    coded.body('gzip', () => Buffer.alloc(20_000));
    expect(store.counts()).toMatchObject({ bytes: bytes + 20_000, entries: 1 });
    store.delete('k');
    expect(store.counts()).toMatchObject({ bytes: 0, entries: 0 });
  });

  it('make room as entries do, and never take more than the store may', () => {
    const { store, coded } = stored(Buffer.alloc(1000));
    store.put('other', entryOf({ body: Buffer.alloc(30_000) }, NOW));
    coded.body('gzip', () => Buffer.alloc(40_000));
    expect(store.counts().bytes).toBeLessThanOrEqual(LIMIT);
    coded.body('br', () => Buffer.alloc(LIMIT));
    expect(store.counts().bytes).toBeLessThanOrEqual(LIMIT);
  });

  it('of an entry that has left the store change nothing there', () => {
    const { store, coded } = stored(Buffer.alloc(1000));
    store.put('k', entryOf({ body: Buffer.alloc(10) }, NOW));
    const before = store.counts();
    coded.body('gzip', () => Buffer.alloc(20_000));
    expect(store.counts()).toEqual(before);
  });
});
