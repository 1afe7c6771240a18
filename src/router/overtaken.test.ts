import { describe, expect, it } from 'vitest';
import type { MatchConfig } from '../config/model.ts';
import { cpuTimeOf } from '../testkit/index.ts';
import { findOvertaken } from './overtaken.ts';

const NOTHING: MatchConfig = {
  listeners: [],
  hosts: [],
  paths: [],
  methods: [],
  headers: {},
  query: {},
  cookies: {},
  ip: [],
  when: null,
  ignoreCase: false,
};

/** Routes whose name begins with `open` are less guarded than those that begin with `shut`. */
function found(routes: Record<string, Partial<MatchConfig>>): string[] {
  const entries = Object.entries(routes).map(([name, match]) => ({
    route: name,
    name,
    match: { ...NOTHING, ...match },
    when: null,
  }));
  const matters = (route: string, over: string) => route.startsWith('open') && over.startsWith('shut');
  return findOvertaken(entries, matters).map(({ route, over }) => `${route} > ${over}`);
}

describe('a less guarded route that takes what would reach a more guarded one', () => {
  it('is found below a prefix, beside a name, and by a condition', () => {
    expect(
      found({
        shut: { paths: ['/admin/*'] },
        openBelow: { paths: ['/admin/public/*'] },
        shutOne: { paths: ['/orders/{id}'] },
        openExact: { paths: ['/orders/latest'] },
        shutAll: { paths: ['/shop/*'] },
        openBeta: { paths: ['/shop/*'], headers: { 'x-beta': 'on' } },
      }),
    ).toEqual(['openBelow > shut', 'openExact > shutOne', 'openBeta > shutAll']);
  });

  it('is found across hosts and methods', () => {
    expect(
      found({
        shut: {},
        openHost: { hosts: ['a.example.com'], paths: ['/x'] },
        shutWild: { hosts: ['*.example.com'] },
        openMethod: { paths: ['/y'], methods: ['GET'] },
      }),
    ).toEqual(['openHost > shutWild', 'openMethod > shut']);
  });

  it('is none where it takes nothing of the other', () => {
    expect(
      found({
        shut: { paths: ['/admin/*'], methods: ['POST'] },
        open: { paths: ['/admin/x'], methods: ['GET'] },
        shutHost: { hosts: ['a.example.com'], paths: ['/x/*'] },
        openElsewhere: { hosts: ['b.example.com'], paths: ['/x/y'] },
        openLater: { paths: ['/*'] },
      }),
    ).toEqual([]);
  });

  it('is looked for among thousands of routes in no time', () => {
    const routes: Record<string, Partial<MatchConfig>> = { shut: { paths: ['/shop/*'] } };
    for (let i = 0; i < 3000; i++) routes[`open${i}`] = { paths: [`/a${i}/{id}/x`] };
    expect(cpuTimeOf(() => expect(found(routes)).toEqual([]))).toBeLessThan(1000);
  });
});
