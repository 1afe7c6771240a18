import { describe, expect, it } from 'vitest';
import { Batches, type Item } from './batches.ts';
import { decodeMessage, encodeMessage, type Message, NOTHING } from './message.ts';
import { Unsent } from './unsent.ts';

const message = (part: Partial<Message>): Message => ({ ...NOTHING, floor: null, ...part });
const item = (part: Partial<Message>): Item => ({
  message: message(part),
  resolve: () => {},
  reject: () => {},
});

describe('what Redis has still to be told', () => {
  it('is kept until Redis has numbered it, also while it is on its way', () => {
    const unsent = new Unsent();
    unsent.add(message({ tags: ['a'] }));
    unsent.add(message({ tags: ['a', 'b'], prefixes: ['/p'] }));
    unsent.add(message({ tags: ['s'], soft: true }));
    const tags = () =>
      unsent
        .messages()
        .flatMap((one) => one.tags)
        .sort();
    const items = unsent.send();
    expect([unsent.isEmpty, unsent.isSettled]).toEqual([true, false]);
    expect(tags()).toEqual(['a', 'b', 's']);
    for (const one of items) one.resolve(1);
    expect([unsent.isSettled, tags()]).toEqual([true, []]);
  });

  it('becomes a purge of all where it is more than is kept', () => {
    const unsent = new Unsent();
    for (let i = 0; i < 20_000; i++) unsent.add(message({ tags: [`tag ${i}`] }));
    expect(unsent.messages()).toEqual([message({ all: true })]);
    unsent.add(message({ all: true, floor: 'why' }));
    expect(unsent.messages()).toEqual([message({ all: true, floor: 'why' })]);
  });
});

describe('invalidations that share a number', () => {
  it('are those that gathered, in their order, hard and soft apart', () => {
    const batches = new Batches();
    const parts = [{ tags: ['a'] }, { prefixes: ['/p'] }, { tags: ['s'], soft: true }, { all: true }];
    for (const part of parts) batches.add(item(part));
    expect(batches.next()?.message).toEqual(message({ tags: ['a'], prefixes: ['/p'] }));
    expect(batches.next()?.message).toEqual(message({ tags: ['s'], soft: true }));
    expect(batches.next()?.message).toEqual(message({ all: true }));
    expect(batches.next()).toBeNull();
  });

  it('never hold more tags than one call takes, unless one brings more by itself', () => {
    const batches = new Batches();
    const many = Array.from({ length: 1000 }, (_, i) => `m${i}`);
    batches.add(item({ tags: many }));
    for (let i = 0; i < 1000; i++) batches.add(item({ tags: [`t${i}`] }));
    expect(batches.next()?.message.tags).toHaveLength(1000);
    let count = 0;
    for (let batch = batches.next(); batch !== null; batch = batches.next()) {
      expect(batch.message.tags.length).toBeLessThanOrEqual(256);
      expect(batch.message.tags).toHaveLength(batch.items.length);
      count += batch.items.length;
    }
    expect(count).toBe(1000);
  });
});

describe('a message of the log', () => {
  it('comes out as it went in, and one that cannot be read is taken for a purge of all', () => {
    for (const part of [
      {},
      { tags: ['\0url http://a', '"\\\u{1f600}'] },
      { all: true, floor: 'why' },
      { soft: true },
    ])
      expect(decodeMessage(encodeMessage(message(part)))).toEqual(message(part));
    expect(decodeMessage('{"t":')).toBeNull();
  });
});
