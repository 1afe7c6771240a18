import type { Route } from './api.ts';
import { byId, each, h, mark, s, say } from './dom.ts';
import { amount, duration, percent } from './format.ts';
import { linePath } from './lines.ts';
import { NOTHING, type Rates, type Traffic } from './traffic.ts';

interface Row {
  readonly route: Route;
  readonly rates: Rates;
}

interface Column {
  readonly title: string;
  readonly number?: true;
  order(row: Row): number | string;
  cell(row: Row): string;
}

const COLUMNS: readonly Column[] = [
  { title: 'Route', order: ({ route }) => route.name, cell: ({ route }) => route.name },
  { title: 'Takes', order: ({ route }) => route.match, cell: ({ route }) => route.match },
  { title: 'Does', order: ({ route }) => route.does, cell: ({ route }) => route.does },
  {
    title: 'Guard',
    order: ({ route }) => Number(route.guarded),
    cell: ({ route }) => (route.guarded ? 'guarded' : 'open'),
  },
  {
    title: 'Requests/s',
    number: true,
    order: ({ rates }) => rates.requests,
    cell: ({ rates }) => amount(rates.requests),
  },
  {
    title: 'p99',
    number: true,
    order: ({ rates }) => rates.p99 ?? -1,
    cell: ({ rates }) => duration(rates.p99),
  },
  {
    title: 'From cache',
    number: true,
    order: ({ route, rates }) => shareOf(route, rates) ?? -1,
    cell: ({ route, rates }) => (route.cached ? percent(shareOf(route, rates)) : 'no cache'),
  },
  {
    title: 'Errors/s',
    number: true,
    order: ({ rates }) => rates.errors,
    cell: ({ rates }) => amount(rates.errors),
  },
];
const ERRORS = COLUMNS.length - 1;
const SPARK = { points: 40, height: 18 };

export function shareOf({ cached }: Route, { requests, hits }: Rates): number | null {
  return cached && requests > 0 ? hits / requests : null;
}

/** Routes, sorted by a column and filtered as one types; each name leads to the route's own page. */
export class RoutesTable {
  private readonly traffic: Traffic;
  private readonly body = h('tbody');
  private readonly filter = byId<HTMLInputElement>('routes-filter');
  private sorted = -1;
  private descending = false;
  private rows: readonly Row[] = [];
  private order: readonly string[] = [];
  /** Rows keep their places while one points at them. */
  private held = false;

  constructor(traffic: Traffic) {
    this.traffic = traffic;
    const table = byId('routes-table');
    table.append(this.head(), this.body);
    table.addEventListener('pointerenter', () => {
      this.held = true;
    });
    table.addEventListener('pointerleave', () => {
      this.held = false;
    });
    this.filter.addEventListener('input', () => this.draw());
  }

  show(routes: readonly Route[], rates: ReadonlyMap<string, Rates>): void {
    this.rows = routes.map((route) => ({ route, rates: rates.get(route.name) ?? NOTHING }));
    if (!this.held || this.order.length !== routes.length) this.sort();
    this.draw();
  }

  private sort(): void {
    const column = COLUMNS[this.sorted];
    const rows = [...this.rows];
    if (column !== undefined)
      rows.sort((a, b) => compare(column.order(a), column.order(b)) * (this.descending ? -1 : 1));
    this.order = rows.map(({ route }) => route.name);
  }

  private draw(): void {
    const wanted = this.filter.value.trim().toLowerCase();
    const byName = new Map(this.rows.map((row) => [row.route.name, row]));
    const shown = this.order
      .map((name) => byName.get(name))
      .filter((row) => row !== undefined)
      .filter(({ route }) =>
        [route.name, route.match, route.does].some((text) => text.toLowerCase().includes(wanted)),
      );
    each(
      this.body,
      shown,
      ({ route }) => route.name,
      ({ route }) => rowFor(route),
      (element, row) => this.fill(element, row),
    );
    const none =
      this.rows.length === 0 ? 'The config has no routes.' : `No route has “${this.filter.value}” in it.`;
    mark(byId('routes-none'), 'hidden', shown.length === 0 ? null : '');
    if (shown.length === 0) say(byId('routes-none'), none);
  }

  private fill(element: HTMLElement, row: Row): void {
    for (const [i, column] of COLUMNS.entries()) {
      const cell = element.children[i]!;
      say(i === 0 ? cell.firstElementChild! : cell, column.cell(row));
      if (i === ERRORS) mark(cell, 'class', row.rates.errors > 0 ? 'number act' : 'number');
    }
    const line = this.traffic.line(row.route.name);
    const path = element.querySelector('path')!;
    mark(path, 'd', line.length < 2 ? '' : linePath(line, SPARK.points, Math.max(1, ...line), SPARK.height));
  }

  private head(): HTMLElement {
    const cells = COLUMNS.map(({ title, number }, i) => {
      const button = h('button', { type: 'button' }, title);
      const cell = h('th', { scope: 'col', ...(number ? { class: 'number' } : {}) }, button);
      button.addEventListener('click', () => {
        this.descending = this.sorted === i ? !this.descending : number === true;
        this.sorted = i;
        for (const other of cell.parentElement!.children) other.removeAttribute('aria-sort');
        cell.setAttribute('aria-sort', this.descending ? 'descending' : 'ascending');
        this.sort();
        this.draw();
      });
      return cell;
    });
    return h('thead', {}, h('tr', {}, ...cells, h('th', { scope: 'col' }, 'Last 2 min')));
  }
}

function rowFor({ name }: Route): HTMLElement {
  const cells = COLUMNS.map((column, i) =>
    i === 0
      ? h('th', { scope: 'row' }, h('a', { href: `#/route/${encodeURIComponent(name)}` }))
      : h('td', column.number ? { class: 'number' } : {}),
  );
  const spark = s(
    'svg',
    {
      class: 'spark',
      viewBox: `0 0 ${SPARK.points - 1} ${SPARK.height}`,
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
    },
    s('path', { class: 'line' }),
  );
  return h('tr', {}, ...cells, h('td', {}, spark));
}

function compare(a: number | string, b: number | string): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
}
