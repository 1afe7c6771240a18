import type { Service } from './api.ts';
import { rate } from './format.ts';
import { isOut } from './health.ts';
import { fateOf, type Lane } from './lanes.ts';
import type { Shape } from './picture.ts';

/** Pixels that all traffic together is high. */
const ALL = 104;
const THINNEST = 1.5;
const LEAST_ROW = 46;
const GAP = 14;
const TOP = 28;
const BOX = 264;
const SERVICES = 208;
const CLIENTS = 88;
/** Between a ribbon and where it comes back, and how far all run straight before a route. */
const TURN = 8;
const STRAIGHT = 120;
/** Where what is refused ends, before the route. */
const GATE = 44;

/** A ribbon's end: the middle of its edge. */
type Bend = readonly [x0: number, y0: number, x1: number, y1: number, width: number];

/**
 * The signature: listeners → routes → services as ribbons, each as wide as its requests a second. What the cache answers
 * turns back before the route's services; what is refused ends at the gate.
 */
export function layOut(
  lanes: readonly Lane[],
  services: readonly Service[],
  width: number,
): { shapes: Shape[]; height: number } {
  const total = lanes.reduce((sum, { requests }) => sum + requests, 0);
  const wide = (value: number) => (value <= 0 ? 0 : Math.max(THINNEST, (value / total) * ALL));
  const rows = rowsOf(lanes, wide);
  const routesEnd = rows.at(-1)!.end;
  const nodes = serviceNodes(lanes, services, wide);
  const height = Math.max(routesEnd, nodes.end) + 4;
  const x = { clients: CLIENTS, route: Math.round((width - BOX) * 0.42), service: width - SERVICES };
  const origins = originsOf(lanes, wide, (TOP + height) / 2);
  const shapes: Shape[] = [
    ...titles(x),
    ...[...origins].flatMap(([name, { y, size, requests }]) => originOf(name, y, size, requests)),
  ];
  const left = new Map([...origins].map(([name, { y, size }]) => [name, y - size / 2]));
  for (const row of rows) shapes.push(...incoming(row, left, x.route));
  for (const row of rows) shapes.push(...outgoing(row, nodes.places, x, wide));
  for (const row of rows) shapes.push(...boxOf(row, x.route));
  for (const service of services) {
    const node = nodes.places.get(service.name);
    if (node !== undefined) shapes.push(...serviceOf(service, node, x.service));
  }
  return { shapes, height };
}

interface Row {
  readonly lane: Lane;
  readonly begin: number;
  readonly end: number;
  readonly middle: number;
  readonly past: number;
  readonly refused: number;
  readonly hits: number;
}

function rowsOf(lanes: readonly Lane[], wide: (value: number) => number): Row[] {
  let at = TOP;
  return lanes.map((lane) => {
    const past = wide(lane.requests - lane.hits - lane.refused);
    const [refused, hits] = [wide(lane.refused), wide(lane.hits)];
    // What turns back needs its width twice.
    const size = Math.max(LEAST_ROW, past + refused + 2 * hits + GAP + (hits > 0 ? TURN : 0));
    const begin = at;
    at += size;
    return { lane, begin, end: at, middle: begin + size / 2, past, refused, hits };
  });
}

interface Node {
  readonly y: number;
  readonly size: number;
  readonly requests: number;
  /** Where its next ribbon begins. */
  next: number;
}

/**
 * Services in the order in which routes lead to them, so that few ribbons cross; idle ones after them. Those of one route
 * are in the order of the config, so that they keep their places whichever was asked first.
 */
function serviceNodes(lanes: readonly Lane[], services: readonly Service[], wide: (value: number) => number) {
  const places = new Map<string, Node>();
  const names = services.map(({ name }) => name);
  const order = new Set([
    ...lanes.flatMap(({ onward }) => names.filter((name) => onward.some(({ service }) => service === name))),
    ...names,
  ]);
  let at = TOP;
  for (const name of order) {
    const into = lanes.flatMap(({ onward }) => onward.filter(({ service }) => service === name));
    const inside = into.reduce((sum, { requests }) => sum + wide(requests), 0);
    const size = Math.max(LEAST_ROW, inside + GAP);
    const y = at + size / 2;
    const requests = into.reduce((sum, one) => sum + one.requests, 0);
    places.set(name, { y, size: inside, requests, next: y - inside / 2 });
    at += size;
  }
  return { places, end: at };
}

/** Listeners, one below the other, in the middle. */
function originsOf(lanes: readonly Lane[], wide: (value: number) => number, middle: number) {
  const sizes = new Map<string, { size: number; requests: number }>();
  for (const lane of lanes)
    for (const { listener, requests } of lane.from) {
      const share = requests / lane.requests;
      const size = [lane.requests - lane.hits - lane.refused, lane.refused, lane.hits].reduce(
        (sum, strand) => sum + wide(strand) * share,
        0,
      );
      const before = sizes.get(listener) ?? { size: 0, requests: 0 };
      sizes.set(listener, { size: before.size + size, requests: before.requests + requests });
    }
  const tall = [...sizes.values()].reduce((sum, { size }) => sum + Math.max(size, 32) + GAP, -GAP);
  let at = Math.max(TOP, middle - tall / 2);
  const origins = new Map<string, { y: number; size: number; requests: number }>();
  for (const [name, { size, requests }] of [...sizes].sort(([a], [b]) => a.localeCompare(b))) {
    const room = Math.max(size, 32);
    origins.set(name, { y: at + room / 2, size, requests });
    at += room + GAP;
  }
  return origins;
}

function titles(x: { route: number; service: number }): Shape[] {
  return [
    textAt('title:clients', 'quiet', 0, 12, 'Listeners'),
    textAt('title:routes', 'quiet', x.route, 12, 'Routes'),
    textAt('title:services', 'quiet', x.service + 14, 12, 'Services'),
  ];
}

function originOf(name: string, y: number, size: number, requests: number): Shape[] {
  return [
    bar(`from:${name}`, 'bar', CLIENTS - 4, y - Math.max(size, 8) / 2, Math.max(size, 8)),
    textAt(`from:${name}:name`, '', 0, y - 3, cut(name, 13)),
    textAt(`from:${name}:rate`, 'quiet', 0, y + 14, rate(requests)),
  ];
}

/** From each listener: what passes, what is refused, what the cache answers. */
function incoming({ lane, middle, past, refused, hits }: Row, left: Map<string, number>, x: number): Shape[] {
  const shapes: Shape[] = [];
  const start = middle - (past + refused + 2 * hits + (hits > 0 ? TURN : 0)) / 2;
  let [pastAt, refusedAt, hitsAt] = [start, start + past, start + past + refused];
  for (const { listener, requests } of lane.from) {
    const share = requests / lane.requests;
    const key = `in:${lane.name}:${listener}`;
    const take = (size: number): number => {
      const from = left.get(listener)!;
      left.set(listener, from + size);
      return from + size / 2;
    };
    const one = past * share;
    if (one > 0)
      shapes.push(
        ribbon(`${key}:past`, 'ribbon', [CLIENTS, take(one), x, pastAt + one / 2, one], x - STRAIGHT),
      );
    pastAt += one;
    const two = refused * share;
    if (two > 0) {
      const y = refusedAt + two / 2;
      shapes.push(
        ribbon(`${key}:refused`, 'ribbon refused', [CLIENTS, take(two), x - GATE, y, two], x - STRAIGHT),
      );
      shapes.push(bar(`${key}:stop`, 'stop', x - GATE, y - two / 2 - 3, two + 6));
    }
    refusedAt += two;
    const three = hits * share;
    if (three > 0)
      shapes.push(...turning(key, [CLIENTS, take(three), x, hitsAt + three / 2, three], hits - three));
    hitsAt += three;
  }
  return shapes;
}

/** Reaches the route and turns back, below what comes from other listeners. */
function turning(key: string, [x0, y0, x1, y1, width]: Bend, others: number): Shape[] {
  const radius = (width + TURN + others) / 2;
  const turn = x1 - 6 - radius - width / 2;
  const back = turn - 28;
  const values = [x0, y0, turn, y1, radius, back, width, x1 - STRAIGHT];
  return [
    {
      key: `${key}:hit`,
      tag: 'path',
      class: 'ribbon hit',
      values,
      draw: ([a, b, c, d, r, e, w, bent]) => ({
        d: `${curve(a!, b!, bent!, d!)} H${fixed(c!)} a${fixed(r!)},${fixed(r!)} 0 0 1 0,${fixed(2 * r!)} H${fixed(e!)}`,
        'stroke-width': w!,
      }),
    },
    {
      key: `${key}:head`,
      tag: 'polygon',
      class: 'hit-head',
      values: [back + 1, y1 + 2 * radius, width / 2 + 3],
      draw: ([a, b, r]) => ({
        points: `${fixed(a!)},${fixed(b! - r!)} ${fixed(a! - Math.min(r!, 24))},${fixed(b!)} ${fixed(a!)},${fixed(b! + r!)}`,
      }),
    },
  ];
}

function outgoing(
  { lane, middle }: Row,
  places: ReadonlyMap<string, Node>,
  x: { route: number; service: number },
  wide: (value: number) => number,
): Shape[] {
  const all = lane.onward.reduce((sum, { requests }) => sum + wide(requests), 0);
  // Ribbons of one route leave it in the order of their services.
  const onward = [...lane.onward].sort(
    (a, b) => (places.get(a.service)?.y ?? 0) - (places.get(b.service)?.y ?? 0),
  );
  let at = middle - all / 2;
  return onward.flatMap(({ service, requests, errors }) => {
    const node = places.get(service);
    const size = wide(requests);
    if (node === undefined || size === 0) return [];
    const from = at + size / 2;
    at += size;
    const to = node.next + size / 2;
    node.next += size;
    const key = `out:${lane.name}:${service}`;
    const [x0, x1] = [x.route + BOX, x.service];
    const shapes = [ribbon(key, 'ribbon', [x0, from, x1, to, size])];
    if (errors > 0)
      shapes.push(ribbon(`${key}:edge`, 'ribbon failing', [x0, from + size / 2, x1, to + size / 2, 2]));
    return shapes;
  });
}

function boxOf({ lane, begin, end, middle }: Row, x: number): Shape[] {
  const fate = fateOf(lane);
  const key = `route:${lane.name}`;
  const first = fate === '' ? middle + 4.5 : middle - 3;
  return [
    {
      key,
      tag: 'rect',
      class: 'box',
      values: [x, begin + 3, BOX, end - begin - 6],
      draw: ([a, b, c, d]) => ({ x: a!, y: b!, width: c!, height: d! }),
    },
    bar(`${key}:side`, lane.errors > 0 ? 'bar bad' : 'bar', x, begin + 3, end - begin - 6),
    textAt(`${key}:name`, '', x + 14, first, cut(lane.name, 24)),
    textAt(`${key}:rate`, 'end', x + BOX - 12, first, rate(lane.requests)),
    textAt(`${key}:fate`, lane.errors > 0 ? 'act' : 'quiet', x + 14, middle + 14, cut(fate, 38)),
  ];
}

function serviceOf({ name, targets, breaker }: Service, { y, size, requests }: Node, x: number): Shape[] {
  const out = targets.filter(isOut).length;
  const drained = targets.filter(({ state }) => state === 'drain').length;
  const trouble = [
    ...(out > 0 ? [targets.length === 1 ? 'out' : `${out} of ${targets.length} out`] : []),
    ...(drained > 0 ? [`${drained} drained`] : []),
    ...(breaker === 'open' ? ['breaker open'] : []),
  ];
  const words = [...(requests > 0 ? [rate(requests)] : []), ...trouble].join(' · ');
  const tall = Math.max(16, size);
  return [
    bar(`service:${name}`, trouble.length > 0 ? 'bar bad' : 'bar', x, y - tall / 2, tall),
    textAt(`service:${name}:name`, '', x + 14, words === '' ? y + 4.5 : y - 3, cut(name, 24)),
    textAt(`service:${name}:words`, trouble.length > 0 ? 'act' : 'quiet', x + 14, y + 14, words),
  ];
}

/** @param bent Where it has bent, and goes on straight. */
function ribbon(key: string, class_: string, bend: Bend, bent = bend[2]): Shape {
  return {
    key,
    tag: 'path',
    class: class_,
    values: [...bend, bent],
    draw: ([x0, y0, x1, y1, width, x]) => ({
      d: `${curve(x0!, y0!, x!, y1!)} H${fixed(x1!)}`,
      'stroke-width': width!,
    }),
  };
}

function bar(key: string, class_: string, x: number, y: number, height: number): Shape {
  return {
    key,
    tag: 'rect',
    class: class_,
    values: [x, y, height],
    draw: ([a, b, c]) => ({ x: a!, y: b!, width: class_ === 'stop' ? 2 : 4, height: c! }),
  };
}

function textAt(key: string, class_: string, x: number, y: number, text: string): Shape {
  return { key, tag: 'text', class: class_, values: [x, y], text, draw: ([a, b]) => ({ x: a!, y: b! }) };
}

function curve(x0: number, y0: number, x1: number, y1: number): string {
  const middle = (x0 + x1) / 2;
  return `M${fixed(x0)},${fixed(y0)} C${fixed(middle)},${fixed(y0)} ${fixed(middle)},${fixed(y1)} ${fixed(x1)},${fixed(y1)}`;
}

const fixed = (value: number) => value.toFixed(1);
const cut = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
