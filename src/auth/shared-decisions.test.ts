import { expect, test } from 'vitest';
import { parseJson, Timestamp, Uint, type Value } from '../expression/index.ts';
import { ManualClock } from '../testkit/index.ts';
import type { Identity, SharedRecord, SharedRecords } from './contract.ts';
import { type Asked, asked } from './decisions.ts';
import { SharedDecisions } from './shared-decisions.ts';

/** A store that keeps what it is given, for ever. */
class Shelf implements SharedRecords {
  readonly records = new Map<string, SharedRecord>();

  async get(key: string): Promise<SharedRecord | null> {
    return this.records.get(key) ?? null;
  }

  put(key: string, record: SharedRecord): void {
    this.records.set(key, record);
  }

  delete(key: string): void {
    this.records.delete(key);
  }
}

const HOUR = 3_600_000;

function decided(more: Partial<Identity> = {}, keep = HOUR): Asked {
  const identity: Identity = {
    provider: 'main',
    subject: 'alice',
    permissions: ['orders:read'],
    scopes: [],
    claims: new Map<string, Value>([['sub', 'alice']]),
    expiresAt: null,
    tokenHash: 'ab',
    tags: ['subject:alice'],
    sequence: 7,
    boundTo: { certificate: null, key: 'x'.repeat(43) },
    toService: ['x-user', 'al\xefce'],
    toClient: [],
    ...more,
  };
  return asked({ kind: 'allowed', identity }, identity.tags, keep, 100);
}

function sharing(clock = new ManualClock(), config = '{}') {
  const shelf = new Shelf();
  return { clock, shelf, shared: new SharedDecisions(shelf, config, clock) };
}

async function comesBack(claims: Value): Promise<boolean> {
  const { shared } = sharing();
  shared.put('k', decided({ claims: claims as Identity['claims'] }), 7);
  return (await shared.get('k')) !== null;
}

test('a decision comes back as it was, under the number that it had', async () => {
  const { shared } = sharing();
  const text = '{"sub":"alice","n":12345678901234567890,"f":1.5,"__proto__":{"a":[null,true,"é"]}}';
  const given = decided({
    claims: parseJson(Buffer.from(text), { duplicates: 'reject' }) as Identity['claims'],
  });
  shared.put('k', given, 7);
  expect(await shared.get('k')).toEqual({ asked: given, sequence: 7 });
});

test.for<[string, Value, boolean]>([
  ['integers', 5n, true],
  ['doubles with a fraction', 0.5, true],
  ['doubles without one', 5, false],
  ['bytes', Buffer.from('x'), false],
  ['times', new Timestamp(0n), false],
  ['unsigned integers', new Uint(5n), false],
  ['half a surrogate pair', '\ud800', false],
])('%s in claims are shared only if they would come back the same', async ([, value, shared]) => {
  expect(await comesBack(new Map<Value, Value>([['x', [value]]]))).toBe(shared);
});

test('nothing is kept past its time, its end, or longer because a clock is late', async () => {
  const { clock, shelf, shared } = sharing();
  shared.put('k', decided({ expiresAt: clock.wall() + 5_000 }), 7);
  shared.put('open', decided(), 7);
  expect((await shared.get('k'))!.asked.keep).toBe(5_000);
  clock.advance(2_000);
  expect((await shared.get('k'))!.asked.keep).toBe(3_000);
  expect((await shared.get('open'))!.asked.keep).toBe(HOUR - 2_000);
  const late = new ManualClock(clock.wall() - 10 * HOUR);
  expect((await new SharedDecisions(shelf, '{}', late).get('open'))!.asked.keep).toBe(HOUR);
});

test.for<[string, Asked]>([
  ['a refusal', asked({ kind: 'refused', status: 401, why: 'no' }, [], HOUR)],
  ['what is not kept', decided({}, 0)],
  ['what nobody can say the tags of', { ...decided(), tags: null }],
  ['what holds for its asker alone', { ...decided(), shared: false }],
  ['what is too large', decided({ subject: 'x'.repeat(70_000) })],
])('%s is not shared', ([, given]) => {
  const { shelf, shared } = sharing();
  shared.put('k', given, 7);
  expect(shelf.records.size).toBe(0);
});

test('another config, and another key, know nothing of it', async () => {
  const { clock, shelf, shared } = sharing();
  shared.put('k', decided(), 7);
  expect(await new SharedDecisions(shelf, '{"a":1}', clock).get('k')).toBeNull();
  expect(await shared.get('l')).toBeNull();
});

test('what somebody else has left there is passed over', async () => {
  const { shelf, shared } = sharing();
  shared.put('k', decided(), 7);
  const [name, record] = [...shelf.records][0]!;
  for (const text of ['', '{', 'null', '[]', '{}', '{"claims":"{"}', '{"claims":"1"}']) {
    shelf.records.set(name, { ...record, bytes: Buffer.from(text) });
    expect(await shared.get('k')).toBeNull();
  }
});
