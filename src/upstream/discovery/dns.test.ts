import { describe, expect, it } from 'vitest';
import type { DnsDiscoverConfig } from '../../config/model.ts';
import { ManualClock } from '../../testkit/index.ts';
import { DnsWatch, type NameServers } from './dns.ts';
import { type DiscoveredTarget, NothingThere } from './source.ts';

type Answers = Record<'A' | 'AAAA' | 'SRV' | 'hosts', string | unknown[]>;

/** A name, and name servers that answer as the test says: records, or the code of an error. */
function watched(type: 'A' | 'SRV') {
  const config: DnsDiscoverConfig = { kind: 'dns', name: 'shop.test', type, scheme: 'http', port: 80 };
  /** 'silent': no answer comes. */
  const now: Answers = { A: 'ENODATA', AAAA: 'ENODATA', SRV: 'ENODATA', hosts: 'ENOTFOUND' };
  const asked = (kind: keyof Answers) => (_name: string, options: unknown, done?: unknown) => {
    const hear = (done ?? options) as (error: Error | null, records?: unknown) => void;
    const answer = now[kind];
    if (answer === 'silent') return;
    if (typeof answer === 'string') hear(Object.assign(new Error(answer), { code: answer }));
    else hear(null, answer);
  };
  const servers = { lookup: asked('hosts'), resolve4: asked('A'), resolve6: asked('AAAA') };
  const clock = new ManualClock();
  const watch = new DnsWatch(config, clock, {
    ...servers,
    resolveSrv: asked('SRV'),
  } as unknown as NameServers);
  const ask = (answers: Partial<Answers>) => {
    Object.assign(now, answers);
    return new Promise<{ error: Error | null; targets: DiscoveredTarget[]; again: number }>((heard) => {
      watch.ask((error, targets, again) => heard({ error, targets, again }));
    });
  };
  const hosts = async (answers: Partial<Answers>) => (await ask(answers)).targets.map(({ host }) => host);
  return { ask, hosts, clock };
}

const record = (address: string, ttl = 300) => ({ address, ttl });
const srv = (name: string, priority = 0, weight = 0, port = 8080) => ({ name, priority, weight, port });

describe('the addresses of a name', () => {
  it('are those of both kinds, each once, for the shortest TTL', async () => {
    const { ask } = watched('A');
    const { targets, again } = await ask({
      A: [record('10.0.0.1'), record('10.0.0.1'), record('10.0.0.2', 20)],
      AAAA: [record('fd00::1')],
    });
    expect(targets.map(({ host }) => host)).toEqual(['10.0.0.1', '10.0.0.2', 'fd00::1']);
    expect(again).toBe(20_000);
  });

  it('of a kind that can not be had now stay, and are asked for again soon; of one that there is not any more they go', async () => {
    const { ask, hosts } = watched('A');
    const both = ['10.0.0.1', 'fd00::1'];
    expect(await hosts({ A: [record('10.0.0.1')], AAAA: [record('fd00::1')] })).toEqual(both);
    expect(await hosts({ A: 'ESERVFAIL' })).toEqual(both);
    expect((await ask({ A: 'ETIMEOUT' })).again).toBe(10_000);
    expect(await hosts({ A: 'ENODATA' })).toEqual(['fd00::1']);
    expect(await hosts({ AAAA: 'ESERVFAIL', A: [record('10.0.0.2')] })).toEqual(['10.0.0.2', 'fd00::1']);
  });

  it('of a kind that no name server answers for are not waited for long', async () => {
    const { ask, clock } = watched('A');
    const asked = ask({ A: [record('10.0.0.1')], AAAA: 'silent' });
    clock.advance(500);
    const { targets, again } = await asked;
    expect(targets.map(({ host }) => host)).toEqual(['10.0.0.1']);
    expect(again).toBe(10_000);
    expect(clock.pending).toBe(0);
  });

  it('are asked of the system where name servers have none of either kind', async () => {
    const { ask, hosts } = watched('A');
    expect(await hosts({ hosts: [{ address: '127.0.0.1' }, { address: '127.0.0.1' }] })).toEqual([
      '127.0.0.1',
    ]);
    expect((await ask({ hosts: 'ENOTFOUND' })).error?.message).toBe('ENOTFOUND');
  });
});

describe('the SRV records of a name', () => {
  it('of the lowest priority bring hosts, ports and weights; a place that is listed twice is one', async () => {
    const { ask } = watched('SRV');
    const { targets } = await ask({
      SRV: [srv('b.test', 1, 9), srv('a.test', 0, 5), srv('A.test', 0, 5), srv('a.test', 0, 0, 81)],
    });
    expect(targets).toEqual([
      { host: 'A.test', port: 8080, weight: 5 },
      { host: 'a.test', port: 81, weight: 1 },
    ]);
  });

  it('may say that there is no such service (RFC 2782): then no target is left', async () => {
    const { ask } = watched('SRV');
    for (const nowhere of ['', '.']) {
      const { error, targets } = await ask({ SRV: [srv(nowhere, 0, 0, 0)] });
      expect(error).toBeInstanceOf(NothingThere);
      expect(targets).toEqual([]);
    }
    expect((await ask({ SRV: [srv(''), srv('a.test')] })).targets.map(({ host }) => host)).toEqual([
      'a.test',
    ]);
  });

  it('that can not be had are an error, which leaves what was known', async () => {
    const { error } = await watched('SRV').ask({ SRV: 'ESERVFAIL' });
    expect(error).not.toBeNull();
    expect(error).not.toBeInstanceOf(NothingThere);
  });
});
