import { get, type Remembered, type Route, type Status } from './api.ts';
import { byId, each, h, mark, s, say } from './dom.ts';
import { lineOf } from './explain.ts';
import { ago, amount, duration, percent, rate } from './format.ts';
import { linePath } from './lines.ts';
import { shareOf } from './routes-table.ts';
import { NOTHING, type Rates, type Traffic } from './traffic.ts';

/** Requests that are looked at for what is asked most. */
const LOOKED = 200;
const MOST_PATHS = 10;
const MOST_ERRORS = 10;
const LINE = { points: 40, height: 60 };
/** Milliseconds between two looks at what is not told by itself. */
const EVERY = 5000;

const WAITS: readonly (readonly [name: string, words: string])[] = [
  ['auth', 'for auth'],
  ['cache', 'for the cache, of those it answered'],
  ['upstream', 'for services'],
  ['firstByte', 'for the head of the answer'],
];

/** One route: what moves, what its requests wait for, what is asked most, what failed last, and its config. */
export class RoutePage {
  private readonly traffic: Traffic;
  private name = '';
  private at = 0;
  /** Of the config that is shown. */
  private etag = '';

  constructor(traffic: Traffic) {
    this.traffic = traffic;
  }

  open(name: string): void {
    if (name === this.name) return;
    this.name = name;
    this.at = 0;
    this.etag = '';
    say(byId('route-title'), name);
    for (const id of ['route-about', 'route-figures', 'route-waits', 'route-paths'])
      byId(id).replaceChildren();
    listErrors([]);
    mark(byId('route-errors-none'), 'hidden', '');
    say(byId('route-config'), '');
  }

  /** Once a second while it is looked at. */
  show(rates: ReadonlyMap<string, Rates>, routes: readonly Route[], status: Status): void {
    const route = routes.find(({ name }) => name === this.name);
    mark(byId('route-gone'), 'hidden', route === undefined ? null : '');
    mark(byId('route-parts'), 'hidden', route === undefined ? '' : null);
    if (route === undefined) return;
    this.showFigures(route, rates.get(route.name) ?? NOTHING);
    if (Date.now() - this.at < EVERY) return;
    this.at = Date.now();
    void this.look(route, status).catch(() => {
      // The top of the page says that the gateway is away; it is asked again.
      this.at = 0;
    });
  }

  private showFigures(route: Route, rates: Rates): void {
    const line = this.traffic.line(route.name);
    const figures: readonly (readonly [string, string])[] = [
      ['Requests', rate(rates.requests)],
      ['p50 · p99', `${duration(rates.p50)} · ${duration(rates.p99)}`],
      ['From cache', route.cached ? percent(shareOf(route, rates)) : 'no cache'],
      ['Refused', rate(rates.refused)],
      ['Errors (5xx)', rate(rates.errors)],
    ];
    const place = byId('route-figures');
    if (place.childElementCount === 0) {
      place.append(
        h('dl', {}, ...figures.map(([title]) => h('div', {}, h('dt', {}, title), h('dd')))),
        s(
          'svg',
          {
            viewBox: `0 0 ${LINE.points - 1} ${LINE.height}`,
            preserveAspectRatio: 'none',
            'aria-hidden': 'true',
          },
          s('path', { class: 'line' }),
        ),
        h(
          'p',
          { class: 'axis' },
          h('span', {}, '2 min ago, or when the page was opened'),
          h('span', {}, 'now'),
        ),
      );
    }
    for (const [i, value] of [...place.querySelectorAll('dd')].entries()) say(value, figures[i]![1]);
    place
      .querySelector('path')!
      .setAttribute('d', linePath(line, LINE.points, Math.max(1, ...line), LINE.height));
  }

  private async look({ name }: Route, { config }: Status): Promise<void> {
    const query = `route=${encodeURIComponent(name)}`;
    const [{ routes }, { requests }, failed] = await Promise.all([
      get<{ routes: Route[] }>('/v1/routes'),
      get<{ requests: Remembered[] }>(`/v1/requests?${query}&limit=${LOOKED}`),
      get<{ requests: Remembered[] }>(`/v1/requests?${query}&failed=true&limit=${MOST_ERRORS}`),
    ]);
    const route = routes.find((one) => one.name === name);
    if (name !== this.name || route === undefined) return;
    showAbout(route, config.source);
    showWaits(route);
    showPaths(requests);
    listErrors(failed.requests);
    mark(byId('route-errors-none'), 'hidden', failed.requests.length === 0 ? null : '');
    if (config.etag !== this.etag) await this.showConfig(name, config.etag);
  }

  private async showConfig(name: string, etag: string): Promise<void> {
    const { routes } = await get<{ routes?: Record<string, unknown> }>('/v1/config');
    if (name !== this.name) return;
    this.etag = etag;
    say(byId('route-config'), JSON.stringify({ [name]: routes?.[name] }, null, 2));
  }
}

function showAbout(route: Route, source: string): void {
  const place = route.line === null ? source : `${source.split('/').at(-1)}:${route.line}`;
  const facts: readonly (readonly [string, string])[] = [
    ['Takes', route.match],
    ['Does', route.does],
    ['Guard', route.guarded ? 'guarded' : 'open'],
    ['Stands in', place],
    ...(route.audited === 0 ? [] : [['Audited', auditLine(route)] as const]),
    ...refreshLine(route).map((line) => ['Refreshed', line] as const),
  ];
  byId('route-about').replaceChildren(
    ...facts.map(([title, text]) => h('div', {}, h('dt', {}, title), h('dd', {}, text))),
  );
}

/** Hits that were compared with what the origin says. */
function auditLine({ audited, mismatched }: Route): string {
  const hits = audited === 1 ? '1 hit' : `${amount(audited)} hits`;
  return `${hits}, ${mismatched === 0 ? 'none' : amount(mismatched)} other than its origin says`;
}

/** What was asked for often and filled again once a change had unseated it; nothing where nothing was. */
function refreshLine({ refreshed, refreshFailed, refreshDropped }: Route): string[] {
  if (refreshed + refreshFailed + refreshDropped === 0) return [];
  const entries = refreshed === 1 ? '1 entry' : `${amount(refreshed)} entries`;
  const failed = refreshFailed === 0 ? '' : `, ${amount(refreshFailed)} failed`;
  const dropped = refreshDropped === 0 ? '' : `, ${amount(refreshDropped)} too many at once`;
  return [`${entries}${failed}${dropped}`];
}

function showWaits({ waits, requests, p50, p99 }: Route): void {
  const rows = [
    ...WAITS.flatMap(([name, words]) => {
      const wait = waits[name];
      return wait === undefined || wait.count === 0 ? [] : [[words, wait] as const];
    }),
    ['until its end', { count: requests, p50, p99 }] as const,
  ];
  byId('route-waits').replaceChildren(
    h('thead', {}, h('tr', {}, ...['They waited', 'Requests', 'p50', 'p99'].map(headCell))),
    h(
      'tbody',
      {},
      ...rows.map(([words, wait]) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, words),
          ...[amount(wait.count), duration(wait.p50), duration(wait.p99)].map((text) =>
            h('td', { class: 'number' }, text),
          ),
        ),
      ),
    ),
  );
}

const headCell = (title: string, i: number) =>
  h('th', { scope: 'col', ...(i === 0 ? {} : { class: 'number' }) }, title);

/** Of the requests that are remembered. */
function showPaths(requests: readonly Remembered[]): void {
  const counts = new Map<string, { count: number; hits: number }>();
  for (const { method, path, cache } of requests) {
    const key = `${method} ${path}`;
    const sum = counts.get(key) ?? { count: 0, hits: 0 };
    sum.count++;
    if (cache !== null && ['hit', 'stale', 'collapsed'].includes(cache.outcome)) sum.hits++;
    counts.set(key, sum);
  }
  const most = [...counts].sort(([, a], [, b]) => b.count - a.count).slice(0, MOST_PATHS);
  const rows = most.map(([key, { count, hits }]) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, key),
      ...[percent(count / requests.length), percent(hits / count)].map((text) =>
        h('td', { class: 'number' }, text),
      ),
    ),
  );
  byId('route-paths').replaceChildren(
    h(
      'caption',
      {},
      requests.length === 0
        ? 'None of its requests is remembered.'
        : `Of the last ${requests.length} that are remembered.`,
    ),
    ...(rows.length === 0
      ? []
      : [
          h('thead', {}, h('tr', {}, ...['Request', 'Share', 'From cache'].map(headCell))),
          h('tbody', {}, ...rows),
        ]),
  );
}

function listErrors(failed: readonly Remembered[]): void {
  each(
    byId('route-errors'),
    failed,
    ({ id, at }) => `${id} ${at}`,
    (one) => h('li', {}, ...lineOf(one)),
    (item, { at }) => say(item.firstElementChild!, ago(Date.parse(at))),
  );
}
