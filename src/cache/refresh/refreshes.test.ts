import { beforeEach, describe, expect, it } from 'vitest';
import { Exchange } from '../../http/exchange.ts';
import { ManualClock, turn } from '../../testkit/index.ts';
import type { Entry } from '../entry.ts';
import { Fences, type Invalidation, urlTag } from '../fences/index.ts';
import { entryOf } from '../fixtures.ts';
import type { Refiller, Repeatable } from './hot-entry.ts';
import { Refreshes } from './refreshes.ts';

const MINUTE = 60_000;
const AT_ONCE = 20;
const WAITING = 1000;

/** What is stored, by path, and an origin that answers when told to. */
class Store implements Refiller {
  readonly counts = { refreshed: 0, failed: 0, dropped: 0 };
  readonly counter = {
    refreshed: () => this.counts.refreshed++,
    refreshFailed: () => this.counts.failed++,
    refreshDropped: () => this.counts.dropped++,
  };
  readonly entries = new Map<string, Entry>();
  /** Paths under way, in the order in which they were asked for; and by how many at once at most. */
  readonly asked: string[] = [];
  readonly underWay = new Map<string, { sequence: number; done(): void }>();
  storable = true;
  answerable = true;

  stands({ path }: Exchange): boolean {
    const entry = this.entries.get(path);
    return entry !== undefined && !fences.isDead(entry) && !fences.isStale(entry);
  }

  mayAnswer = () => this.answerable;
  mayStore = () => this.storable;

  refill({ path }: Exchange, done: () => void): void {
    expect(this.underWay.has(path)).toBe(false);
    this.asked.push(path);
    this.underWay.set(path, { sequence: fences.sequence, done });
  }

  /** The origin answers: with what was there when it was asked, or with nothing that is kept. */
  answer(path: string, kept = true): void {
    const { sequence, done } = this.underWay.get(path)!;
    this.underWay.delete(path);
    if (kept) this.put(path, sequence);
    done();
  }

  put(path: string, sequence = fences.sequence, tags = [path]): Entry {
    const entry = entryOf({ url: `http://shop.test${path}`, tags, sequence });
    this.entries.set(path, entry);
    return entry;
  }
}

let clock: ManualClock;
let fences: Fences;
let refreshes: Refreshes;
let store: Store;
beforeEach(() => {
  clock = new ManualClock();
  fences = new Fences();
  refreshes = new Refreshes(clock, fences);
  store = new Store();
});

function requestFor(path: string): Exchange {
  const origin = { listener: 'main', scheme: 'http', address: '127.0.0.1', port: 80 } as const;
  const request = new Exchange(
    origin,
    { inform() {}, respond() {} },
    'GET',
    path,
    'shop.test',
    11,
    [],
    null,
    0,
  );
  request.path = path;
  return request;
}

const repeatable = (path: string): Repeatable => ({ request: requestFor(path), bytes: path.length });

function read(path: string, times = 1): void {
  const entry = store.entries.get(path) ?? store.put(path);
  for (let i = 0; i < times; i++)
    if (refreshes.asked(entry)) refreshes.keep(path, entry, repeatable(path), store);
}

let number = 0;
beforeEach(() => {
  number = 0;
});

async function change(what: Partial<Invalidation> | string): Promise<void> {
  const part = typeof what === 'string' ? { tags: [what] } : what;
  const whole = { tags: [], prefixes: [], all: false, soft: false, ...part };
  fences.apply(++number, whole);
  refreshes.unseat(whole);
  await turn();
}

describe('asked for often', () => {
  it('is three times within a minute before the change', async () => {
    read('/often', 3);
    read('/seldom', 2);
    await change({ all: true });
    expect(store.asked).toEqual(['/often']);
  });

  it('is not three times over more than a minute, nor once nobody has asked for a minute', async () => {
    read('/slow', 2);
    read('/gone', 3);
    clock.advance(MINUTE);
    read('/slow', 2);
    await change({ all: true });
    expect(store.asked).toEqual([]);
    expect(store.counts).toEqual({ refreshed: 0, failed: 0, dropped: 0 });
  });

  it('begins anew once it was filled: what nobody reads is filled no second time', async () => {
    read('/a', 100);
    await change('/a');
    store.answer('/a');
    await change('/a');
    expect(store.asked).toEqual(['/a']);
    store.put('/a');
    read('/a', 3);
    await change('/a');
    expect(store.asked).toEqual(['/a', '/a']);
    expect(store.counts.refreshed).toBe(1);
  });

  it('a request that can not be made again is passed over for that of another reader', async () => {
    const entry = store.put('/a');
    const ask = (request: Repeatable | null) => {
      const wanted = refreshes.asked(entry);
      if (wanted) refreshes.keep('/a', entry, request, store);
      return wanted;
    };
    const wanted = [null, null, null, null].map(ask);
    clock.advance(1000);
    wanted.push(ask(null));
    clock.advance(1000);
    wanted.push(ask(repeatable('/a')));
    // Looked at no more often than it takes.
    expect(wanted).toEqual([false, false, true, false, true, true]);
    await change('/a');
    expect(store.asked).toEqual(['/a']);
  });
});

describe('what unseats it', () => {
  it.each([
    ['a tag', { tags: ['/a/1'] }],
    ['its URL', { tags: [urlTag('http://shop.test/a/1')] }],
    ['a prefix', { prefixes: ['/a/'] }],
    ['a purge of everything', { all: true }],
    ['a soft purge', { tags: ['/a/1'], soft: true }],
  ])('%s', async (_what, invalidation) => {
    read('/a/1', 3);
    read('/b', 3);
    await change(invalidation);
    expect(store.asked).toContain('/a/1');
    expect(store.asked.includes('/b')).toBe('all' in invalidation);
  });

  it('a raised floor', async () => {
    read('/a', 3);
    fences.raiseFloor(7);
    refreshes.unseatAll();
    await turn();
    expect(store.asked).toEqual(['/a']);
  });

  it('not one that is older than its fill', async () => {
    number = 4;
    fences.startAt(9);
    read('/a', 3);
    await change('/a');
    expect(store.asked).toEqual([]);
  });

  it('one that comes again is waited for: it is filled once, when no origin shows the old any more', async () => {
    read('/a', 3);
    await change({ tags: ['/a'], early: true });
    expect(store.asked).toEqual([]);
    // A reader has filled it meanwhile.
    store.put('/a');
    await change('/a');
    expect(store.asked).toEqual(['/a']);
  });

  it('nothing is filled that may not be stored yet', async () => {
    read('/a', 3);
    store.storable = false;
    await change('/a');
    refreshes.lookAgain();
    await turn();
    expect(store.asked).toEqual([]);
    store.storable = true;
    refreshes.lookAgain();
    await turn();
    expect(store.asked).toEqual(['/a']);
  });
});

describe('its fill', () => {
  it('is none where a reader was quicker', async () => {
    read('/a', 3);
    const told = change('/a');
    store.put('/a');
    await told;
    expect(store.asked).toEqual([]);
  });

  it('that a change overtakes is made again, one at a time, until it is not overtaken', async () => {
    read('/a', 3);
    await change('/a');
    for (let i = 0; i < 3; i++) {
      await change('/a');
      await change('/a');
      store.answer('/a');
      await turn();
    }
    expect(store.asked).toEqual(['/a', '/a', '/a', '/a']);
    store.answer('/a');
    await turn();
    expect(store.asked).toHaveLength(4);
    expect(store.stands(requestFor('/a'))).toBe(true);
    expect(store.counts).toEqual({ refreshed: 1, failed: 0, dropped: 0 });
  });

  it('that is overtaken again and again goes on no longer than somebody would read it', async () => {
    read('/a', 3);
    await change('/a');
    await change('/a');
    clock.advance(MINUTE);
    store.answer('/a');
    await turn();
    expect(store.asked).toEqual(['/a']);
  });

  it('that is overtaken by a change which comes again waits for that', async () => {
    read('/a', 3);
    await change('/a');
    await change({ tags: ['/a'], early: true });
    store.answer('/a');
    await turn();
    expect(store.asked).toEqual(['/a']);
    await change('/a');
    expect(store.asked).toEqual(['/a', '/a']);
  });

  it('that gives nothing to store is left at that', async () => {
    read('/a', 3);
    await change('/a');
    store.answer('/a', false);
    await turn();
    expect(store.asked).toEqual(['/a']);
    expect(store.counts).toEqual({ refreshed: 0, failed: 1, dropped: 0 });
  });

  it('is not made while nobody could be answered from it', async () => {
    read('/a', 3);
    store.answerable = false;
    await change('/a');
    expect(store.asked).toEqual([]);
    expect(store.counts.dropped).toBe(1);
  });
});

describe('bounds', () => {
  const all = Array.from({ length: WAITING + 500 }, (_, i) => `/${i}`);

  it('few are filled at once, some wait, and the rest are dropped and counted', async () => {
    for (const path of all) read(path, 3);
    await change({ all: true });
    expect(store.underWay.size).toBe(AT_ONCE);
    expect(store.counts.dropped).toBe(500);
    let most = 0;
    while (store.underWay.size > 0) {
      most = Math.max(most, store.underWay.size);
      const [path] = store.underWay.keys();
      store.answer(path!);
      await turn();
    }
    expect(most).toBe(AT_ONCE);
    expect(store.counts).toEqual({ refreshed: WAITING, failed: 0, dropped: 500 });
  });

  it('what waits for its turn is not filled once nobody would read it', async () => {
    for (const path of all.slice(0, 100)) read(path, 3);
    await change({ all: true });
    clock.advance(MINUTE);
    for (const path of [...store.underWay.keys()]) store.answer(path);
    await turn();
    expect(store.asked).toHaveLength(AT_ONCE);
  });

  it('of more than memory allows those go whose request was kept longest ago', async () => {
    const long = 'x'.repeat(1024 * 1024);
    const entries = Array.from({ length: 20 }, (_, i) => store.put(`/${i}`, 0, [`tag${i}`, long]));
    for (const [i, entry] of entries.entries())
      for (let n = 0; n < 3; n++)
        if (refreshes.asked(entry)) refreshes.keep(`/${i}`, entry, repeatable(`/${i}`), store);
    await change({ all: true });
    expect(store.asked).toEqual(Array.from({ length: 15 }, (_, i) => `/${i + 5}`));
    await change('tag0');
    expect(store.asked).toHaveLength(15);
  });
});

it('once closed nothing more is filled, nor looked after', async () => {
  for (let i = 0; i < AT_ONCE + 5; i++) read(`/${i}`, 3);
  await change({ all: true });
  refreshes.close();
  for (const path of [...store.underWay.keys()]) store.answer(path);
  await turn();
  expect(store.asked).toHaveLength(AT_ONCE);
  expect(store.counts).toEqual({ refreshed: AT_ONCE, failed: 0, dropped: 5 });
  store.put('/0');
  expect(refreshes.asked(store.entries.get('/0')!)).toBe(false);
});
