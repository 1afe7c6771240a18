import type { Service } from './api.ts';
import { byId, h, s } from './dom.ts';
import { amount } from './format.ts';
import type { Look, RouteSample } from './samples.ts';

/** Routes that are drawn by themselves; the rest are one ribbon. */
const MOST = 12;
const WIDTH = 1200;
const ROW = 40;
const TOP = 24;
const WIDEST = 28;
const CLIENTS = 96;
const GATE = 300;
const ROUTE = 420;
const SERVICE = 1000;
/** Where what goes on leaves a route. */
const ONWARD = 720;

interface Lane {
  readonly name: string;
  readonly requests: number;
  readonly hits: number;
  readonly refused: number;
  readonly errors: number;
  readonly services: readonly string[];
}

/**
 * The signature: clients → routes → services as ribbons, each as wide as its requests a second. What the cache answers
 * turns back at the gateway; what is refused ends at the gate.
 */
export function showFlow({ routes }: Look, services: readonly Service[]): void {
  const lanes = lanesOf(routes);
  const picture = byId('flow-picture');
  if (lanes.length === 0) {
    picture.replaceChildren(
      h(
        'div',
        { class: 'teach' },
        'No traffic yet. Ask for something, and it is drawn here:',
        h('pre', {}, `curl ${location.protocol}//127.0.0.1:8080${exampleOf(routes)}`),
      ),
    );
    return;
  }
  const height = TOP + Math.max(lanes.length, services.length) * ROW + 8;
  const most = Math.max(1, ...lanes.map(({ requests }) => requests));
  const width = (rate: number) => (rate === 0 ? 0 : Math.max(1.5, (Math.sqrt(rate / most) * WIDEST) / 1.2));
  const serviceY = new Map(services.map(({ name }, i) => [name, rowY(i)]));
  const drawn = lanes.flatMap((lane, i) => laneOf(lane, i, height, width, serviceY));
  picture.replaceChildren(
    s(
      'svg',
      { viewBox: `0 0 ${WIDTH} ${height}`, 'aria-hidden': 'true' },
      ...columns(lanes, height),
      ...drawn,
      ...services.map((service, i) => serviceOf(service, i)),
    ),
    listOf(lanes),
  );
}

const rowY = (i: number) => TOP + i * ROW + ROW / 2;

function columns(lanes: readonly Lane[], height: number): SVGElement[] {
  const all = lanes.reduce((sum, { requests }) => sum + requests, 0);
  return [
    s('text', { class: 'quiet', x: ROUTE + 12, y: 12 }, 'Routes'),
    s('text', { class: 'quiet', x: SERVICE + 12, y: 12 }, 'Services'),
    s('rect', { class: 'bar', x: CLIENTS - 4, y: height / 2 - 20, width: 4, height: 40 }),
    s('text', { x: 0, y: height / 2 - 3 }, 'Clients'),
    s('text', { class: 'quiet', x: 0, y: height / 2 + 13 }, `${amount(all)}/s`),
  ];
}

function laneOf(
  lane: Lane,
  i: number,
  height: number,
  width: (rate: number) => number,
  serviceY: ReadonlyMap<string, number>,
): SVGElement[] {
  const y = rowY(i);
  const middle = height / 2;
  const bend = (x0: number, y0: number, x1: number, y1: number) =>
    `M${x0},${y0} C${(x0 + x1) / 2},${y0} ${(x0 + x1) / 2},${y1} ${x1},${y1}`;
  const all = width(lane.requests);
  const failing = lane.errors > 0.05 * lane.requests;
  const parts = [
    s('path', { class: 'ribbon', 'stroke-width': all, d: bend(CLIENTS, middle, ROUTE, y) }),
    s('rect', {
      class: failing ? 'bar bad' : 'bar',
      x: ROUTE,
      y: y - Math.max(4, all / 2),
      width: 4,
      height: Math.max(8, all),
    }),
    s('text', { x: ROUTE + 12, y: y - 3 }, lane.name),
    s('text', { class: failing ? 'act' : 'quiet', x: ROUTE + 12, y: y + 13 }, said(lane)),
  ];
  const hits = width(lane.hits);
  // What the cache answers turns back before it ever reaches a service.
  if (hits > 0) {
    const d = `M${ROUTE},${y - all / 4} C${ROUTE + 8},${y - 16} ${GATE + 40},${y - 18} ${GATE},${y - 4}`;
    parts.push(s('path', { class: 'ribbon hit', 'stroke-width': Math.min(hits, 8), d }));
  }
  const onward = Math.max(0, lane.requests - lane.hits - lane.refused);
  for (const service of lane.services) {
    const to = serviceY.get(service);
    if (to === undefined || onward === 0) continue;
    const wide = width(onward / Math.max(lane.services.length, 1));
    parts.push(
      s('path', {
        class: failing ? 'ribbon failing' : 'ribbon',
        'stroke-width': wide,
        d: bend(ONWARD, y, SERVICE, to),
      }),
    );
  }
  return parts;
}

function said({ requests, hits, refused, errors }: Lane): string {
  const parts = [`${amount(requests)}/s`];
  if (hits > 0) parts.push(`${amount(hits)} from cache`);
  if (refused > 0) parts.push(`${amount(refused)} refused`);
  if (errors > 0) parts.push(`${amount(errors)} failed`);
  return parts.join(' · ');
}

function serviceOf({ name, targets, breaker }: Service, i: number): SVGElement {
  const out = targets.filter(({ health }) => health === 'down' || health === 'ejected').length;
  const drained = targets.filter(({ state }) => state === 'drain').length;
  const trouble = [
    ...(out > 0 ? [`${out} of ${targets.length} out`] : []),
    ...(drained > 0 ? [`${drained} drained`] : []),
    ...(breaker === 'open' ? ['breaker open'] : []),
  ].join(', ');
  const y = rowY(i);
  return s(
    'g',
    {},
    s('rect', { class: trouble === '' ? 'bar' : 'bar bad', x: SERVICE, y: y - 12, width: 4, height: 24 }),
    s('text', { x: SERVICE + 12, y: trouble === '' ? y + 4 : y - 3 }, name),
    trouble === '' ? null : s('text', { class: 'act', x: SERVICE + 12, y: y + 13 }, trouble),
  );
}

function lanesOf(routes: readonly RouteSample[]): Lane[] {
  const busy = routes.filter(({ requests }) => requests > 0).sort((a, b) => b.requests - a.requests);
  const shown = busy.slice(0, busy.length > MOST ? MOST - 1 : MOST);
  // In the order of the config, so that a ribbon keeps its place.
  const lanes = routes.filter((route) => shown.includes(route)).map(laneFor);
  const others = busy.slice(shown.length);
  if (others.length > 0) {
    const sum = (of: (route: RouteSample) => number) => others.reduce((total, route) => total + of(route), 0);
    lanes.push({
      name: `${others.length} others`,
      requests: sum((route) => route.requests),
      hits: sum((route) => route.hits),
      refused: sum((route) => route.refused),
      errors: sum((route) => route.errors),
      services: [],
    });
  }
  return lanes;
}

function laneFor({ route, requests, hits, refused, errors }: RouteSample): Lane {
  return { name: route.name, requests, hits, refused, errors, services: route.services };
}

function exampleOf(routes: readonly RouteSample[]): string {
  const path = routes
    .map(({ route }) => /\/[A-Za-z0-9/_-]*/.exec(route.match)?.[0])
    .find((found) => found !== undefined);
  return path ?? '/';
}

/** The same as a list: for narrow screens, and for whoever does not see the picture. */
function listOf(lanes: readonly Lane[]): HTMLElement {
  const most = Math.max(1, ...lanes.map(({ requests }) => requests));
  const items = lanes.map((lane) => {
    const bar = (class_: string, rate: number) => {
      const part = h('span', { class: class_ });
      part.style.setProperty('--share', String(rate / most));
      return part;
    };
    const onward = Math.max(0, lane.requests - lane.hits - lane.refused);
    const to = lane.services.length === 0 ? '' : ` → ${lane.services.join(', ')}`;
    return h(
      'li',
      {},
      h('strong', {}, lane.name),
      h('span', { class: lane.errors > 0 ? 'act' : 'quiet' }, ` ${said(lane)}${to}`),
      h(
        'span',
        { class: 'bars', 'aria-hidden': 'true' },
        bar('hit', lane.hits),
        bar('onward', onward),
        bar('refused', lane.refused),
      ),
    );
  });
  return h('ul', { class: 'lanes', 'aria-label': 'Where traffic goes' }, ...items);
}
