import { describe, expect, it } from 'vitest';
import { Failure } from '../http/errors.ts';
import { ManualClock } from '../testkit/index.ts';
import { type Lookup, Resolver, type System, systemLookup } from './resolver.ts';

/** A name server that answers when told to. */
function nameServer() {
  const asked: {
    name: string;
    answer: (addresses: string[], ttl: number) => void;
    fail: (text: string) => void;
  }[] = [];
  const lookup: Lookup = (name, done) => {
    asked.push({
      name,
      answer: (addresses, ttl) => done(null, addresses, ttl),
      fail: (text) => done(new Error(text), [], 0),
    });
  };
  return { asked, lookup };
}

function setUp() {
  const clock = new ManualClock();
  const server = nameServer();
  const resolver = new Resolver(clock, server.lookup);
  const seen: (readonly string[] | string)[] = [];
  const ask = () =>
    resolver.resolve('shop.test', (found) => seen.push(found instanceof Failure ? found.code : found));
  return { clock, asked: server.asked, resolver, seen, ask };
}

describe('names of services', () => {
  it('an address needs nobody', () => {
    const { resolver, asked } = setUp();
    let found: unknown;
    resolver.resolve('127.0.0.1', (addresses) => (found = addresses));
    resolver.resolve('::1', () => {});
    expect(found).toEqual(['127.0.0.1']);
    expect(asked).toEqual([]);
  });

  it('callers who ask at once share one question', () => {
    const { asked, seen, ask } = setUp();
    ask();
    ask();
    expect(asked.length).toBe(1);
    asked[0]!.answer(['10.0.0.1', '10.0.0.2'], 5000);
    expect(seen).toEqual([
      ['10.0.0.1', '10.0.0.2'],
      ['10.0.0.1', '10.0.0.2'],
    ]);
  });

  it('an answer holds for its TTL, then serves on while the next is fetched', () => {
    const { clock, asked, seen, ask } = setUp();
    ask();
    asked[0]!.answer(['10.0.0.1'], 5000);
    clock.advance(4999);
    ask();
    expect(asked.length).toBe(1);
    clock.advance(2);
    ask();
    expect(asked.length).toBe(2);
    expect(seen.at(-1)).toEqual(['10.0.0.1']);
    asked[1]!.answer(['10.0.0.9'], 5000);
    ask();
    expect(seen.at(-1)).toEqual(['10.0.0.9']);
  });

  it('a name server that is away takes no known name with it', () => {
    const { clock, asked, seen, ask } = setUp();
    ask();
    asked[0]!.answer(['10.0.0.1'], 5000);
    clock.advance(6000);
    ask();
    asked[1]!.fail('EAI_AGAIN');
    ask();
    expect(seen.at(-1)).toEqual(['10.0.0.1']);
  });

  it('an unknown name fails, and is asked for again a second later', () => {
    const { clock, asked, seen, ask } = setUp();
    ask();
    asked[0]!.fail('ENOTFOUND');
    ask();
    expect(seen).toEqual(['TG_UPSTREAM_DNS', 'TG_UPSTREAM_DNS']);
    expect(asked.length).toBe(1);
    clock.advance(1001);
    ask();
    asked[1]!.answer(['10.0.0.1'], 5000);
    expect(seen.at(-1)).toEqual(['10.0.0.1']);
  });

  it('what is learned late of an answer does not unseat the next one', () => {
    const { clock, asked, seen, ask } = setUp();
    ask();
    asked[0]!.answer(['10.0.0.1'], 5000);
    clock.advance(6000);
    ask();
    asked[0]!.answer(['10.0.0.1'], 60_000);
    ask();
    expect(asked.length).toBe(2);
    asked[1]!.answer(['10.0.0.9'], 5000);
    asked[0]!.answer(['10.0.0.1'], 60_000);
    ask();
    expect(seen.at(-1)).toEqual(['10.0.0.9']);
  });

  it('a TTL of 0 is not asked for at each request', () => {
    const { clock, asked, ask } = setUp();
    ask();
    asked[0]!.answer(['10.0.0.1'], 0);
    clock.advance(900);
    ask();
    expect(asked.length).toBe(1);
  });
});

describe('the system', () => {
  it('is believed at once, and how long its answer holds is learned when a name server tells', () => {
    const clock = new ManualClock();
    const asked: string[] = [];
    let tell = (_ttl: number) => {};
    const system = {
      lookup: (name: string, _options: unknown, done: (error: null, found: object[]) => void) => {
        asked.push(name);
        done(null, [{ address: '10.0.0.1', family: 4 }]);
      },
      resolve4: (_name: string, _options: unknown, done: (error: null, records: object[]) => void) => {
        tell = (ttl) => done(null, [{ address: '10.0.0.1', ttl }]);
      },
    } as unknown as System;
    const resolver = new Resolver(clock, (name, done) => systemLookup(name, done, system));
    const seen: unknown[] = [];
    const ask = () => resolver.resolve('shop.test', (found) => seen.push(found));
    ask();
    expect(seen).toEqual([['10.0.0.1']]);
    clock.advance(3000);
    tell(5);
    clock.advance(4999);
    ask();
    expect(asked).toEqual(['shop.test']);
    clock.advance(1);
    ask();
    expect(asked).toEqual(['shop.test', 'shop.test']);
    expect(seen).toEqual(Array(3).fill(['10.0.0.1']));
  });
});
