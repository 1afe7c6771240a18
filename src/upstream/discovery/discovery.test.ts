import { describe, expect, it } from 'vitest';
import type { DiscoverConfig } from '../../config/model.ts';
import { ManualClock, seededRandom } from '../../testkit/index.ts';
import { type Discover, type DiscoveredTarget, Discovery } from './index.ts';
import { NothingThere } from './source.ts';

const CONFIG: DiscoverConfig = { kind: 'dns', name: 'shop.test', type: 'A', scheme: 'http', port: 80 };
const at = (host: string, port = 80): DiscoveredTarget => ({ host, port, weight: 1 });

function setUp() {
  const clock = new ManualClock();
  const told: (string | null)[] = [];
  const parts = { clock, random: seededRandom(1), tell: (trouble: string | null) => void told.push(trouble) };
  const asked: Parameters<Discover>[1][] = [];
  const discovery = new Discovery(CONFIG, parts, (_config, done) => void asked.push(done));
  let changes = 0;
  discovery.onChange = () => changes++;
  const hosts = () => discovery.targets.map(({ host }) => host);
  return { clock, asked, told, discovery, hosts, changes: () => changes };
}

describe('a name that stands for targets', () => {
  it('is asked for at once, and again when its answer has run out', () => {
    const { clock, asked, hosts } = setUp();
    asked[0]!(null, [at('10.0.0.1')], 5000);
    expect(hosts()).toEqual(['10.0.0.1']);
    clock.advance(4999);
    expect(asked.length).toBe(1);
    clock.advance(2);
    expect(asked.length).toBe(2);
  });

  it('tells a change, and only a change', () => {
    const { clock, asked, hosts, changes } = setUp();
    asked[0]!(null, [at('10.0.0.1'), at('10.0.0.2')], 1000);
    clock.advance(1001);
    asked[1]!(null, [at('10.0.0.2'), at('10.0.0.1')], 1000);
    expect(changes()).toBe(1);
    clock.advance(1001);
    asked[2]!(null, [at('10.0.0.2'), at('10.0.0.3')], 1000);
    expect([changes(), hosts()]).toEqual([2, ['10.0.0.2', '10.0.0.3']]);
  });

  it('keeps the last good answer while none can be had, and asks on', () => {
    const { clock, asked, discovery, hosts } = setUp();
    asked[0]!(null, [at('10.0.0.1')], 1000);
    clock.advance(1001);
    asked[1]!(new Error('SERVFAIL'), [], 0);
    expect([hosts(), discovery.lastError]).toEqual([['10.0.0.1'], 'SERVFAIL']);
    clock.advance(1001);
    asked[2]!(null, [at('10.0.0.1')], 1000);
    expect([hosts(), discovery.lastError]).toEqual([['10.0.0.1'], null]);
    expect(clock.pending).toBe(1);
  });

  it('an answer without a place takes the last ones away', () => {
    const { clock, asked, hosts, changes } = setUp();
    asked[0]!(null, [at('10.0.0.1')], 1000);
    clock.advance(1001);
    asked[1]!(null, [], 1000);
    expect([hosts(), changes()]).toEqual([[], 2]);
  });

  it('where nothing is known under the name, the last ones go, and people are told', () => {
    const { clock, asked, told, discovery, hosts } = setUp();
    asked[0]!(null, [at('10.0.0.1')], 1000);
    clock.advance(1001);
    asked[1]!(new NothingThere('no such service'), [], 0);
    expect([hosts(), discovery.lastError, told]).toEqual([[], 'no such service', ['no such service']]);
  });

  it('tells of trouble once, and once that it is over', () => {
    const { clock, asked, told } = setUp();
    for (const error of [new Error('SERVFAIL'), new Error('ETIMEOUT'), null, null]) {
      asked.at(-1)!(error, [at('10.0.0.1')], 0);
      clock.advance(1001);
    }
    expect(told).toEqual(['SERVFAIL', null]);
  });

  it('a TTL of 0 or of a year is kept within bounds', () => {
    const { clock, asked } = setUp();
    asked[0]!(null, [at('10.0.0.1')], 0);
    clock.advance(999);
    expect(asked.length).toBe(1);
    clock.advance(2);
    asked[1]!(null, [at('10.0.0.1')], 365 * 86_400_000);
    clock.advance(300_001);
    expect(asked.length).toBe(3);
  });

  it('closed it asks no more, whatever comes in late', () => {
    const { clock, asked, discovery, hosts } = setUp();
    discovery.close();
    asked[0]!(null, [at('10.0.0.1')], 1000);
    expect([hosts(), clock.pending]).toEqual([[], 0]);
  });

  it('who waits for a first answer hears of a bad one too', () => {
    const { asked, discovery } = setUp();
    let heard = 0;
    discovery.whenAnswered(() => heard++);
    expect(heard).toBe(0);
    asked[0]!(new Error('ENOTFOUND'), [], 0);
    discovery.whenAnswered(() => heard++);
    expect(heard).toBe(2);
  });
});
