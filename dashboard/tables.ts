import type { Service, Target } from './api.ts';
import { byId, h } from './dom.ts';
import { amount, clock, duration, percent } from './format.ts';
import type { RouteSample } from './samples.ts';

interface Column {
  readonly title: string;
  readonly number?: true;
  order(route: RouteSample): number | string;
  cell(route: RouteSample): string;
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
    order: ({ requests }) => requests,
    cell: ({ requests }) => amount(requests),
  },
  { title: 'p99', number: true, order: ({ p99 }) => p99 ?? -1, cell: ({ p99 }) => duration(p99) },
  {
    title: 'From cache',
    number: true,
    order: ({ hitShare }) => hitShare ?? -1,
    cell: ({ route, hitShare }) => (route.cached ? percent(hitShare) : 'no cache'),
  },
  { title: 'Errors/s', number: true, order: ({ errors }) => errors, cell: ({ errors }) => amount(errors) },
];

let sorted = -1;
let descending = false;
let last: readonly RouteSample[] = [];

/** Routes, sorted by a column and filtered as one types. */
export function showRoutes(routes: readonly RouteSample[]): void {
  last = routes;
  const wanted = byId<HTMLInputElement>('routes-filter').value.trim().toLowerCase();
  const fits = ({ route }: RouteSample) =>
    [route.name, route.match, route.does].some((text) => text.toLowerCase().includes(wanted));
  const rows = routes.filter(fits);
  const column = COLUMNS[sorted];
  if (column !== undefined)
    rows.sort((a, b) => compare(column.order(a), column.order(b)) * (descending ? -1 : 1));
  const table = byId('routes-table');
  const body = h('tbody', {}, ...rows.map(rowOf));
  if (table.firstChild === null) table.append(headOf());
  table.querySelector('tbody')?.remove();
  table.append(body);
}

function headOf(): HTMLElement {
  const cells = COLUMNS.map(({ title, number }, i) => {
    const button = h('button', { type: 'button' }, title);
    const cell = h('th', { scope: 'col', ...(number ? { class: 'number' } : {}) }, button);
    button.addEventListener('click', () => {
      descending = sorted === i ? !descending : number === true;
      sorted = i;
      for (const other of cell.parentElement!.children) other.removeAttribute('aria-sort');
      cell.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      showRoutes(last);
    });
    return cell;
  });
  return h('thead', {}, h('tr', {}, ...cells));
}

function rowOf(route: RouteSample): HTMLElement {
  const failing = route.errors > 0;
  const cells = COLUMNS.map((column, i) =>
    h(
      i === 0 ? 'th' : 'td',
      {
        ...(i === 0 ? { scope: 'row' } : {}),
        ...(column.number ? { class: column.title === 'Errors/s' && failing ? 'number act' : 'number' } : {}),
      },
      column.cell(route),
    ),
  );
  return h('tr', {}, ...cells);
}

function compare(a: number | string, b: number | string): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
}

/** Targets with their health, and the last failure in words. */
export function showServices(services: readonly Service[]): void {
  const table = byId('services-table');
  if (services.length === 0) {
    table.replaceChildren(
      h('tbody', {}, h('tr', {}, h('td', { class: 'quiet' }, 'The config names no service.'))),
    );
    return;
  }
  const titles = [
    'Service',
    'Target',
    'Health',
    'In use',
    'Waiting',
    'Tries',
    'Failed',
    'Tried again',
    'Last failure',
  ];
  const head = h('thead', {}, h('tr', {}, ...titles.map((title) => h('th', { scope: 'col' }, title))));
  const rows = services.flatMap((service) =>
    service.targets.map((target, i) =>
      h(
        'tr',
        {},
        h(
          'th',
          { scope: 'row' },
          i === 0 ? `${service.name}${service.breaker === 'open' ? ' (breaker open)' : ''}` : '',
        ),
        h('td', {}, target.name),
        healthOf(target),
        h('td', { class: 'number' }, target.connections.inUse),
        h('td', { class: 'number' }, i === 0 ? service.pending : ''),
        h('td', { class: 'number' }, amount(target.requests)),
        h('td', { class: target.failures > 0 ? 'number look' : 'number' }, amount(target.failures)),
        h('td', { class: 'number' }, amount(target.retries)),
        h(
          'td',
          {},
          target.lastFailure === null
            ? '–'
            : `${target.lastFailure.message}, at ${clock(Date.parse(target.lastFailure.at))}`,
        ),
      ),
    ),
  );
  table.replaceChildren(head, h('tbody', {}, ...rows));
}

function healthOf({ state, health }: Target): HTMLElement {
  const [text, tone] = HEALTH[health] ?? [health, ''];
  if (state !== 'drain') return h('td', { class: tone }, text);
  return h('td', { class: 'look' }, `◌ drained (${text.slice(2)})`);
}

const HEALTH: Readonly<Record<string, readonly [text: string, tone: string]>> = {
  up: ['● in', ''],
  warming: ['◐ warming up', 'look'],
  ejected: ['○ out, after errors', 'act'],
  down: ['○ out, by its checks', 'act'],
};
