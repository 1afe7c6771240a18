import {
  BOUNDS,
  COUNTS,
  type CountName,
  DETAIL,
  detailOfRow,
  Exposition,
  type Format,
  histogramOf,
  type Labels,
  labelText,
  METRICS,
  type Metric,
  requestsOf,
  TIMED_PHASES,
  UNMATCHED,
} from '../telemetry/index.ts';
import type { NodeMetrics } from '../workers/index.ts';

/** What is counted of a route; the text of its label stands in many lines. */
interface Row {
  readonly route: string;
  readonly label: string;
  readonly row: Float64Array;
}

/** Writes all that a node knows of itself as metrics, summed over its workers. */
export function metricsText(node: NodeMetrics, format: Format): Buffer<ArrayBuffer> {
  const out = new Exposition(format);
  aboutNode(out, node);
  aboutCertificates(out, node);
  aboutRoutes(out, node);
  aboutAuth(out, node);
  aboutServices(out, node);
  aboutCache(out, node);
  aboutSources(out, node);
  aboutWorkers(out, node);
  return out.toBytes();
}

/** One metric with a sample for each of a list. */
function each<T>(
  out: Exposition,
  metric: Metric,
  list: readonly T[],
  labels: (one: T) => Labels,
  value: (one: T) => number | null,
): void {
  out.begin(metric);
  for (const one of list) {
    const known = value(one);
    if (known !== null) out.sample(metric.name, labels(one), known);
  }
}

function one(out: Exposition, metric: Metric, value: number | null): void {
  each(
    out,
    metric,
    [value],
    () => [],
    (known) => known,
  );
}

function aboutNode(out: Exposition, { version, startedAt, serving, reloads, loadedAt }: NodeMetrics): void {
  each(
    out,
    METRICS.buildInfo,
    [version],
    (text) => [['version', text]],
    () => 1,
  );
  one(out, METRICS.started, startedAt / 1000);
  one(out, METRICS.workers, serving);
  each(
    out,
    METRICS.reloads,
    Object.entries(reloads),
    ([result]) => [['result', result]],
    ([, count]) => count,
  );
  one(out, METRICS.loaded, loadedAt / 1000);
}

function aboutCertificates(out: Exposition, { certificates, orders }: NodeMetrics): void {
  each(
    out,
    METRICS.certificates,
    certificates,
    ({ listener, name }) => [
      ['listener', listener],
      ['name', name],
    ],
    ({ until }) => (until ?? 0) / 1000,
  );
  each(
    out,
    METRICS.orders,
    orders,
    ({ host, result }) => [
      ['host', host],
      ['result', result],
    ],
    ({ count }) => count,
  );
}

function aboutRoutes(out: Exposition, node: NodeMetrics): void {
  const rows = [...node.routes].map(
    ([route, row]): Row => ({ route, label: labelText([['route', route]]), row }),
  );
  out.begin(METRICS.requests);
  for (const { label, row } of rows) {
    const detail = detailOfRow(row);
    if (detail === null) continue;
    const own = label.slice(0, -1);
    for (const { method, code, cache, count } of requestsOf(detail))
      out.sample(METRICS.requests.name, `${own},method="${method}",code="${code}",cache="${cache}"}`, count);
  }
  counts(out, METRICS.inFlight, rows, 'inFlight');
  for (const [metric, at] of [
    [METRICS.duration, DETAIL.duration],
    [METRICS.firstByte, DETAIL.firstByte],
  ] as const) {
    out.begin(metric);
    for (const { label, row } of rows) {
      const detail = detailOfRow(row);
      if (detail !== null) out.histogram(metric.name, label, BOUNDS, histogramOf(detail, at));
    }
  }
  out.begin(METRICS.phases);
  for (const phase of TIMED_PHASES)
    out.histogram(METRICS.phases.name, [['phase', phase]], BOUNDS, histogramOf(node.phases, DETAIL[phase]));
  counts(out, METRICS.received, rows, 'bytesIn');
  counts(out, METRICS.sent, rows, 'bytesOut');
  const ofRoutes = rows.filter(({ route }) => route !== UNMATCHED);
  counts(out, METRICS.limited, ofRoutes, 'limited');
  counts(out, METRICS.reported, ofRoutes, 'reported');
  counts(out, METRICS.audited, ofRoutes, 'audited');
  counts(out, METRICS.mismatched, ofRoutes, 'mismatched');
  out.begin(METRICS.refreshes);
  for (const { label, row } of ofRoutes)
    for (const [result, name] of REFRESHES)
      out.sample(
        METRICS.refreshes.name,
        `${label.slice(0, -1)},result="${result}"}`,
        row[COUNTS.indexOf(name)]!,
      );
}

const REFRESHES = [
  ['filled', 'refreshed'],
  ['failed', 'refreshFailed'],
  ['dropped', 'refreshDropped'],
] as const;

function counts(out: Exposition, metric: Metric, rows: readonly Row[], name: CountName): void {
  const column = COUNTS.indexOf(name);
  each(
    out,
    metric,
    rows,
    ({ label }) => label,
    ({ row }) => row[column]!,
  );
}

function aboutAuth(out: Exposition, { auth }: NodeMetrics): void {
  const all = Object.entries(auth).flatMap(([provider, outcomes]) =>
    Object.entries(outcomes).map(([outcome, count]) => ({ provider, outcome, count })),
  );
  const labels = ({ provider, outcome }: (typeof all)[number]): Labels => [
    ['provider', provider],
    ['outcome', outcome],
  ];
  each(out, METRICS.auth, all, labels, ({ count }) => count);
}

const BREAKER: Readonly<Record<string, number>> = { open: 1, 'half-open': 0.5 };

function aboutServices(out: Exposition, { services }: NodeMetrics): void {
  const targets = services.flatMap(({ name, targets: own }) =>
    own.map((target) => ({ service: name, target })),
  );
  type Target = (typeof targets)[number];
  const labels = ({ service, target }: Target): Labels => [
    ['service', service],
    ['target', target.name],
  ];
  each(out, METRICS.tries, targets, labels, ({ target }) => target.requests);
  each(out, METRICS.failures, targets, labels, ({ target }) => target.failures);
  each(out, METRICS.retries, targets, labels, ({ target }) => target.retries);
  each(out, METRICS.up, targets, labels, ({ target }) =>
    target.health === 'up' || target.health === 'warming' ? 1 : 0,
  );
  each(out, METRICS.drained, targets, labels, ({ target }) => (target.state === 'drain' ? 1 : 0));
  out.begin(METRICS.connections);
  for (const one of targets)
    for (const [state, count] of [
      ['in_use', one.target.connections.inUse],
      ['idle', one.target.connections.idle],
    ] as const)
      out.sample(
        METRICS.connections.name,
        [
          ['service', one.service],
          ['target', one.target.name],
          ['state', state],
        ],
        count,
      );
  const ofService = ({ name }: { name: string }): Labels => [['service', name]];
  each(out, METRICS.active, services, ofService, ({ active }) => active);
  each(out, METRICS.pending, services, ofService, ({ pending }) => pending);
  each(out, METRICS.breaker, services, ofService, ({ breaker }) => BREAKER[breaker] ?? 0);
}

function aboutCache(out: Exposition, { cache }: NodeMetrics): void {
  one(out, METRICS.cacheEntries, cache.entries);
  one(out, METRICS.cacheBytes, cache.bytes);
  one(out, METRICS.cacheLimit, cache.limit);
  one(out, METRICS.hits, cache.hits);
  one(out, METRICS.misses, cache.misses);
  one(out, METRICS.evictions, cache.evictions);
  one(out, METRICS.sequence, cache.sequence);
  one(out, METRICS.floor, cache.floor);
  const { redis } = cache;
  one(out, METRICS.redisUp, redis === null ? null : Number(redis.state === 'connected'));
  one(out, METRICS.redisDropped, redis === null ? null : redis.dropped);
}

function aboutSources(out: Exposition, { changes }: NodeMetrics): void {
  const named = ({ name }: { name: string }): Labels => [['source', name]];
  const withKind = ({ name, kind }: { name: string; kind: string }): Labels => [
    ['source', name],
    ['kind', kind],
  ];
  each(out, METRICS.sourceUp, changes, withKind, ({ state }) => Number(state === 'streaming'));
  each(out, METRICS.lagBytes, changes, named, ({ lagBytes }) => lagBytes);
  each(out, METRICS.lagSeconds, changes, named, ({ lagSeconds }) => lagSeconds);
  each(out, METRICS.events, changes, named, ({ events }) => events);
  each(out, METRICS.skipped, changes, named, ({ skipped }) => skipped);
}

function aboutWorkers(out: Exposition, { workers }: NodeMetrics): void {
  const numbered = ({ worker }: { worker: number }): Labels => [['worker', String(worker)]];
  each(out, METRICS.delay, workers, numbered, ({ delay }) => delay);
  each(out, METRICS.heap, workers, numbered, ({ heap }) => heap);
  each(out, METRICS.resident, workers, numbered, ({ resident }) => resident);
  each(out, METRICS.sockets, workers, numbered, ({ connections }) => connections);
}
