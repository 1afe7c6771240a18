import type { Sample } from '../../telemetry/index.ts';
import type { NodeLook, NodePicture, ServiceView } from './node-watch.ts';
import { fitted, type Line, type Tone, widthOf, wrapped } from './paint.ts';
import { type Column, table } from './table.ts';
import { amount, clock, duration, percent, sparkline } from './units.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** From so many rows on the figures have a line each, with their last minutes. */
const TALL = 16;

/** A picture of a node as lines: never more than the rows that there are. */
export function frame(picture: NodePicture, size: Size, now: number): Line[] {
  const { look, sample } = picture;
  const lines = [head(picture, size.columns, now)];
  if (picture.trouble !== null) lines.push(...trouble(picture, size.columns));
  if (look !== null) {
    lines.push(...(size.rows >= TALL ? figures(look, size.columns) : [figuresInOne(look)]));
    lines.push(...sections(picture, look, sample, { ...size, rows: size.rows - lines.length }));
  }
  return lines.slice(0, size.rows);
}

function head({ origin, look, trouble: away }: NodePicture, columns: number, now: number): Line {
  const time = clock(now);
  const about = look === null ? '' : aboutNode(look);
  const name = 'tidegate top  ';
  const left = fitted(`${origin}${about}`, columns - name.length - time.length - 2);
  const gap = ' '.repeat(Math.max(2, columns - name.length - widthOf(left) - time.length));
  return [[name, 'strong'], [left, away === null ? 'plain' : 'look'], [gap], [time, 'quiet']];
}

function aboutNode({ status: { version, workers, uptime, config } }: NodeLook): string {
  const many = workers === 1 ? '1 worker' : `${workers} workers`;
  return `  ${version}, ${many}, up ${duration(Math.floor(uptime))}, config of ${config.source.split('/').at(-1)}`;
}

function trouble({ trouble: away, look, lookedAt }: NodePicture, columns: number): Line[] {
  const old = look === null ? '' : `no answer since ${clock(lookedAt)}, these figures are old: `;
  return wrapped(`${old}${away!.message}`, columns).map((text) => [[text, 'act']]);
}

interface Figure {
  readonly title: string;
  text(look: NodeLook): string;
  values(look: NodeLook): readonly (number | null)[];
  /** What the height stands for at least. */
  readonly least: number;
  tone?(look: NodeLook): Tone;
}

const last = <T>(values: readonly T[]): T | null => values.at(-1) ?? null;
const failing = ({ series }: NodeLook) => (last(series.errors) ?? 0) > 0;

const FIGURES: readonly Figure[] = [
  {
    title: 'Requests/s',
    text: ({ series }) => amount(last(series.requests) ?? 0),
    values: ({ series }) => series.requests,
    least: 1,
  },
  {
    title: 'p50 · p99',
    text: ({ series }) => `${duration(last(series.p50))} · ${duration(last(series.p99))}`,
    values: ({ series }) => series.p99,
    least: 0.001,
  },
  {
    title: 'From cache',
    text: ({ series }) => percent(last(series.hitShare)),
    values: ({ series }) => series.hitShare,
    least: 1,
  },
  {
    title: 'Errors/s',
    text: ({ series }) => amount(last(series.errors) ?? 0),
    values: ({ series }) => series.errors,
    least: 1,
    tone: (look) => (failing(look) ? 'act' : 'plain'),
  },
];

const TITLE = 12;
const VALUE = 19;

function figures(look: NodeLook, columns: number): Line[] {
  const lines = FIGURES.map(({ title, text, values, least, tone }): Line => {
    const bars = sparkline(values(look), columns - TITLE - VALUE, least);
    return [
      [title.padEnd(TITLE), 'quiet'],
      [text(look).padEnd(VALUE), tone?.(look) ?? 'strong'],
      [bars, 'good'],
    ];
  });
  return [...lines, []];
}

function figuresInOne(look: NodeLook): Line {
  return FIGURES.flatMap(({ title, text, tone }, i) => [
    [`${i === 0 ? '' : '   '}${title} `, 'quiet'] as const,
    [text(look), tone?.(look) ?? 'strong'] as const,
  ]);
}

/** Routes, services and changes share what is left, each with a line between; what finds no room is left out. */
function sections(picture: NodePicture, look: NodeLook, sample: Sample | null, size: Size): Line[] {
  const { columns, rows } = size;
  const byTraffic = routesOf(look, sample);
  const wanted = {
    routes: 1 + byTraffic.length,
    services: 1 + targetsOf(look).length,
    changes: 1 + look.sources.length + Math.max(1, picture.told.length),
  };
  const services = rows < 14 ? 0 : Math.min(wanted.services, Math.max(3, Math.floor(rows / 4)));
  const changes = rows < 8 ? 0 : Math.min(wanted.changes, Math.max(3, Math.floor(rows / 3)));
  const between = Number(services > 0) + Number(changes > 0);
  const routes = Math.min(wanted.routes, rows - services - changes - between);
  const spare = rows - routes - services - changes - between;
  const lines = cutTable(ROUTE_COLUMNS, byTraffic, { columns, rows: routes }, 'routes');
  if (services > 0) lines.push([], ...servicesPart(look, { columns, rows: services }));
  if (changes > 0) lines.push([], ...changesPart(picture, look, changes + spare));
  return lines;
}

interface RouteRow {
  readonly name: string;
  readonly match: string;
  readonly cached: boolean;
  readonly requests: number;
  readonly hits: number;
  readonly errors: number;
  readonly refused: number;
  readonly p50: number | null;
  readonly p99: number | null;
}

const QUIET = { requests: 0, hits: 0, errors: 0, refused: 0, p50: null, p99: null };
const rate = (value: number) => (value === 0 ? '' : amount(value));

const ROUTE_COLUMNS: readonly Column<RouteRow>[] = [
  { title: 'Route', text: ({ name }) => name, tone: ({ requests }) => (requests > 0 ? 'strong' : 'plain') },
  { title: 'Takes', expendable: 4, text: ({ match }) => match, tone: () => 'quiet' },
  { title: 'Req/s', number: true, text: ({ requests }) => amount(requests) },
  { title: 'p50', number: true, expendable: 3, text: ({ p50 }) => duration(p50) },
  { title: 'p99', number: true, expendable: 1, text: ({ p99 }) => duration(p99) },
  {
    title: 'Cache',
    number: true,
    expendable: 2,
    text: ({ cached, hits, requests }) => (cached ? percent(requests === 0 ? null : hits / requests) : ''),
  },
  { title: 'Err/s', number: true, expendable: 0, text: ({ errors }) => rate(errors), tone: () => 'act' },
  { title: 'Ref/s', number: true, expendable: 2, text: ({ refused }) => rate(refused), tone: () => 'look' },
];

/** The busiest first; those without traffic as the config has them. */
function routesOf({ routes }: NodeLook, sample: Sample | null): RouteRow[] {
  const moved = sample?.routes ?? {};
  const known = new Set(routes.map(({ name }) => name));
  const unmatched = Object.keys(moved).filter((name) => !known.has(name));
  return [
    ...routes.map(({ name, match, cached }) => ({ name, match, cached, ...(moved[name] ?? QUIET) })),
    ...unmatched.map((name) => ({ name, match: '', cached: false, ...moved[name]! })),
  ].sort((a, b) => b.requests - a.requests);
}

interface TargetRow {
  readonly service: ServiceView;
  readonly target: ServiceView['targets'][number];
}

function targetsOf({ services }: NodeLook): TargetRow[] {
  return services.flatMap((service) => service.targets.map((target) => ({ service, target })));
}

const HEALTH: Readonly<Record<string, readonly [text: string, tone: Tone]>> = {
  up: ['in', 'plain'],
  warming: ['warming up', 'look'],
  ejected: ['out, after errors', 'act'],
  down: ['out, by its checks', 'act'],
};
const healthOf = ({ target }: TargetRow) => HEALTH[target.health] ?? [target.health, 'look'];
const isOut = (row: TargetRow) => healthOf(row)[1] !== 'plain' || row.service.breaker === 'open';

const TARGET_COLUMNS: readonly Column<TargetRow>[] = [
  {
    title: 'Service',
    text: ({ service }) => `${service.name}${service.breaker === 'open' ? ' (breaker open)' : ''}`,
    tone: ({ service }) => (service.breaker === 'open' ? 'act' : 'plain'),
  },
  { title: 'Target', expendable: 2, text: ({ target }) => target.name, tone: () => 'quiet' },
  { title: 'Health', text: (row) => healthOf(row)[0], tone: (row) => healthOf(row)[1] },
  { title: 'In use', number: true, expendable: 3, text: ({ target }) => amount(target.connections.inUse) },
  { title: 'Waiting', number: true, expendable: 4, text: ({ service }) => rate(service.pending) },
  { title: 'Last failure', expendable: 1, text: ({ target }) => target.lastFailure?.message ?? '' },
];

/** Those that are out come first. */
function servicesPart(look: NodeLook, size: Size): Line[] {
  const targets = targetsOf(look).sort((a, b) => Number(isOut(b)) - Number(isOut(a)));
  return cutTable(TARGET_COLUMNS, targets, size, 'targets');
}

/** A table of so many rows at most; the last one says what did not fit. */
function cutTable<Row>(
  columns: readonly Column<Row>[],
  all: readonly Row[],
  size: Size,
  things: string,
): Line[] {
  const room = size.rows - 1;
  if (all.length <= room) return table(columns, all, size.columns);
  const shown = all.slice(0, Math.max(0, room - 1));
  return [
    ...table(columns, shown, size.columns),
    [[`… ${all.length - shown.length} more ${things}`, 'quiet']],
  ];
}

function changesPart({ told }: NodePicture, { sources }: NodeLook, rows: number): Line[] {
  const lines: Line[] = [[['CHANGES', 'quiet']]];
  for (const { name, kind, state, lagSeconds, events, error } of sources) {
    const late =
      lagSeconds === null ? '' : lagSeconds === 0 ? ', up to date' : `, ${duration(lagSeconds)} late`;
    const tone: Tone = state === 'streaming' ? 'good' : state === 'lost' ? 'act' : 'look';
    lines.push([
      [name, 'strong'],
      [` ${kind}, ${state}${late}, ${amount(events)} rows${error === null ? '' : `: ${error}`}`, tone],
    ]);
  }
  for (const { at, piece } of told) lines.push([[`${clock(at)} `, 'quiet'], piece]);
  if (told.length === 0) lines.push([['nothing yet', 'quiet']]);
  return lines.slice(0, rows);
}
