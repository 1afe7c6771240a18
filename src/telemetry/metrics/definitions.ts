import type { Metric } from './exposition.ts';

/** Every metric of `/metrics`, in the order in which it is written. */
export const METRICS = {
  buildInfo: metric('tidegate_build_info', 'info', 'The version that runs; always 1.', ['version']),
  started: metric('tidegate_start_time_seconds', 'gauge', 'When the node started, in seconds since 1970.'),
  workers: metric('tidegate_workers', 'gauge', 'Workers that serve.'),
  reloads: metric(
    'tidegate_config_reloads_total',
    'counter',
    'Configs that were read anew, by what came of it.',
    ['result'],
  ),
  loaded: metric(
    'tidegate_config_loaded_timestamp_seconds',
    'gauge',
    'When the config in force was loaded, in seconds since 1970.',
  ),
  certificates: metric(
    'tidegate_certificate_expiry_timestamp_seconds',
    'gauge',
    'When a certificate that clients are shown runs out, in seconds since 1970; 0: there is none yet; of several for one name, the first to. Listener (admin): that of the admin API.',
    ['listener', 'name'],
  ),
  orders: metric('tidegate_acme_orders_total', 'counter', 'Certificates that were asked of an authority.', [
    'host',
    'result',
  ]),
  requests: metric(
    'tidegate_requests_total',
    'counter',
    'Requests that are over, by route, method, class of status (4xx where the client left before an answer) and what the cache made of them; route (none): no route took them.',
    ['route', 'method', 'code', 'cache'],
  ),
  inFlight: metric('tidegate_requests_in_flight', 'gauge', 'Requests under way.', ['route']),
  duration: metric(
    'tidegate_request_duration_seconds',
    'histogram',
    'From the first byte of a request to the last one of its answer.',
    ['route'],
  ),
  firstByte: metric(
    'tidegate_request_first_byte_seconds',
    'histogram',
    "From the first byte of a request to its answer's head.",
    ['route'],
  ),
  phases: metric(
    'tidegate_request_phase_seconds',
    'histogram',
    'What requests waited for, over all routes: auth (authentication and permission), cache (until it answered), upstream (until the head of an answer was there, its look into the cache and tries among it).',
    ['phase'],
  ),
  received: metric('tidegate_request_body_bytes_total', 'counter', 'Content that came from clients.', [
    'route',
  ]),
  sent: metric('tidegate_response_body_bytes_total', 'counter', 'Content that went to clients.', ['route']),
  limited: metric('tidegate_limited_total', 'counter', 'Requests that a limit refused.', ['route']),
  reported: metric(
    'tidegate_reported_total',
    'counter',
    'Requests that a limit or rule on trial (report: true) would have refused.',
    ['route'],
  ),
  audited: metric(
    'tidegate_cache_audits_total',
    'counter',
    'Hits that were compared with what the origin says (audit).',
    ['route'],
  ),
  mismatched: metric(
    'tidegate_cache_audit_mismatches_total',
    'counter',
    'Those of them that were not what the origin says: a table or a tag may be missing from the mapping of changes.',
    ['route'],
  ),
  refreshes: metric(
    'tidegate_cache_refreshes_total',
    'counter',
    'Entries asked for often that a change had unseated (refresh), by what became of them: filled again, failed (the origin gave nothing to store), or dropped (too many at once: left to their readers).',
    ['route', 'result'],
  ),
  auth: metric(
    'tidegate_auth_decisions_total',
    'counter',
    'What providers made of credentials: allowed, refused, answered (by a forward service), unavailable.',
    ['provider', 'outcome'],
  ),
  tries: metric('tidegate_upstream_requests_total', 'counter', 'Tries that were sent to a target.', [
    'service',
    'target',
  ]),
  failures: metric('tidegate_upstream_failures_total', 'counter', 'Tries that failed at a target.', [
    'service',
    'target',
  ]),
  retries: metric('tidegate_upstream_retries_total', 'counter', 'Tries after which another one was made.', [
    'service',
    'target',
  ]),
  up: metric(
    'tidegate_upstream_target_up',
    'gauge',
    'Whether a target is in: 1, also while it warms up; 0 where checks or errors have taken it out.',
    ['service', 'target'],
  ),
  drained: metric(
    'tidegate_upstream_target_drained',
    'gauge',
    'Whether an operator has drained a target: 1 if so, whatever its health.',
    ['service', 'target'],
  ),
  connections: metric('tidegate_upstream_connections', 'gauge', 'Connections to a target.', [
    'service',
    'target',
    'state',
  ]),
  active: metric('tidegate_upstream_active_requests', 'gauge', 'Requests that a service has under way.', [
    'service',
  ]),
  pending: metric(
    'tidegate_upstream_pending_requests',
    'gauge',
    'Requests that wait for a place in a service.',
    ['service'],
  ),
  breaker: metric(
    'tidegate_upstream_breaker_open',
    'gauge',
    'Whether the breaker of a service is open (1), lets a probe through (0.5) or is closed or off (0).',
    ['service'],
  ),
  cacheEntries: metric('tidegate_cache_entries', 'gauge', 'Entries in memory, over all workers.'),
  cacheBytes: metric('tidegate_cache_bytes', 'gauge', 'What they take up.'),
  cacheLimit: metric('tidegate_cache_limit_bytes', 'gauge', 'What they may take up.'),
  hits: metric('tidegate_cache_hits_total', 'counter', 'Requests that were answered from memory.'),
  misses: metric('tidegate_cache_misses_total', 'counter', 'Requests for which memory had no answer.'),
  evictions: metric('tidegate_cache_evictions_total', 'counter', 'Entries that made room for others.'),
  sequence: metric('tidegate_cache_sequence', 'gauge', 'Number of the newest invalidation.'),
  floor: metric('tidegate_cache_floor', 'gauge', 'Everything filled before this number is dead.'),
  redisUp: metric('tidegate_cache_redis_up', 'gauge', 'Whether Redis is there (1) or away (0).'),
  redisDropped: metric(
    'tidegate_cache_redis_dropped_total',
    'counter',
    'Entries that were to be kept in Redis and were not: it was away, full or too slow.',
  ),
  sourceUp: metric('tidegate_change_source_streaming', 'gauge', 'Whether a change source is followed (1).', [
    'source',
    'kind',
  ]),
  lagBytes: metric(
    'tidegate_change_source_lag_bytes',
    'gauge',
    'What a change source has not been read of yet.',
    ['source'],
  ),
  lagSeconds: metric(
    'tidegate_change_source_lag_seconds',
    'gauge',
    'How far behind a change source is read.',
    ['source'],
  ),
  events: metric('tidegate_change_source_events_total', 'counter', 'Row changes that came.', ['source']),
  skipped: metric('tidegate_change_source_skipped_total', 'counter', 'Events that could not be read.', [
    'source',
  ]),
  delay: metric(
    'tidegate_worker_event_loop_delay_seconds',
    'gauge',
    'How late the event loop of a worker was, in 99 of 100 looks since the last scrape.',
    ['worker'],
  ),
  heap: metric('tidegate_worker_heap_bytes', 'gauge', 'Heap in use.', ['worker']),
  resident: metric('tidegate_worker_resident_bytes', 'gauge', 'Resident memory.', ['worker']),
  sockets: metric('tidegate_worker_connections', 'gauge', 'Open connections of clients.', ['worker']),
} as const satisfies Readonly<Record<string, Metric>>;

function metric(name: string, type: Metric['type'], help: string, labels: readonly string[] = []): Metric {
  const base = name.replace(/_total$/, '');
  const unit = base.endsWith('_seconds') ? 'seconds' : base.endsWith('_bytes') ? 'bytes' : null;
  return { name, type, help, labels, ...(unit === null ? {} : { unit }) };
}
