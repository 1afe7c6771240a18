import * as z from 'zod';

/** Shapes of what the admin API answers and takes: its OpenAPI document and its tests are made from them. */

const count = z.number().int().nonnegative();
const text = z.string();
const iso = z.iso.datetime();

export const problem = z
  .object({ type: text, title: text, status: z.number().int(), detail: text })
  .describe('A problem document (RFC 9457).');

export const status = z.object({
  version: text,
  uptime: z.number().describe('Seconds.'),
  workers: count.describe('Those that serve now.'),
  config: z.object({
    etag: text,
    loadedAt: iso,
    source: text.describe('The file that it stands in; `api` where it came over the admin API.'),
    refused: z
      .object({ at: iso, error: text })
      .nullable()
      .describe('Why the file as it stands now is not in force; null: it could be used.'),
  }),
  listeners: z.array(z.object({ name: text, address: text })),
});

const counts = {
  requests: count,
  informational: count,
  success: count,
  redirection: count,
  clientError: count,
  serverError: count,
  bytesIn: count,
  bytesOut: count,
  inFlight: count,
  limited: count.describe('Refused by a limit.'),
  reported: count.describe('What a limit or rule on trial would have refused.'),
  audited: count.describe('Hits that were compared with what the origin says.'),
  mismatched: count.describe('Those of them that were not the same.'),
  refreshed: count.describe(
    'Entries that a change had unseated and that were filled again in the background.',
  ),
  refreshFailed: count.describe('Such entries whose origin gave nothing that could be stored.'),
  refreshDropped: count.describe('Such entries that were too many at once, and left to their readers.'),
};

const wait = z.object({
  count,
  p50: z.number().nullable().describe('Seconds, since the start.'),
  p99: z.number().nullable(),
});

export const routes = z.object({
  routes: z.array(
    z.looseObject({
      name: text,
      match: text.describe('What it takes.'),
      action: z.enum(['proxy', 'aggregate', 'respond', 'redirect']),
      does: text.describe('What it does.'),
      services: z.array(text),
      guarded: z.boolean(),
      cached: z.boolean(),
      line: count.nullable().describe('Of its file; null: it stands in no text.'),
      outcomes: z.record(text, count).describe('Requests by what the cache made of them.'),
      cache: z.record(text, count).describe('Those of them for which a cache was asked.'),
      p50: z.number().nullable().describe('Seconds, since the start; null: there was no request.'),
      p99: z.number().nullable(),
      waits: z
        .partialRecord(z.enum(['auth', 'cache', 'upstream', 'firstByte']), wait)
        .describe('How long its requests waited, by what for; empty: there was none.'),
      durations: z.array(count).describe('Requests by how long they took, as `bounds` says.'),
      ...counts,
    }),
  ),
  bounds: z.array(z.number()).describe('Upper ends of `durations` in seconds; the last one has none.'),
  unmatched: z.object(counts).describe('Requests that no route took.'),
});

const seconds = z.number().nonnegative().nullable();
export const series = z.object({
  step: z.literal(1).describe('Seconds.'),
  until: iso.describe('When the last of them ended.'),
  requests: z
    .array(count)
    .max(600)
    .describe('The last 600 seconds, the oldest first; fewer at a younger node.'),
  p50: z.array(seconds).describe('Seconds; null: there was no request.'),
  p99: z.array(seconds),
  hitShare: z.array(z.number().min(0).max(1).nullable()).describe('Of requests for which a cache was asked.'),
  errors: z.array(count).describe('5xx.'),
  refused: z.array(count).describe('401, 403 and 429 of the gateway itself.'),
});

const mode = z.enum(['active', 'drain']).describe('`drain`: an operator has taken it out.');
const target = z.object({
  name: text,
  weight: count,
  state: mode,
  health: z.enum(['up', 'down', 'ejected', 'warming']),
  connections: z.object({ open: count, idle: count, inUse: count, waiting: count }),
  requests: count,
  failures: count,
  retries: count,
  lastFailure: z.object({ at: iso, message: text }).nullable(),
});

export const services = z.object({
  services: z.array(
    z.object({
      name: text,
      breaker: text,
      active: count,
      pending: count,
      discovery: z
        .object({
          error: text.nullable().describe('Why targets cannot be found now: those known last stay.'),
        })
        .nullable()
        .describe('Null: the targets are listed.'),
      targets: z.array(target),
    }),
  ),
});

export const steer = z.object({ state: mode });
export const steered = z.object({ service: text, target: text, state: mode });

export const cache = z.object({
  entries: count,
  bytes: count,
  limit: count,
  hits: count,
  misses: count,
  evictions: count,
  sequence: z.number().describe('Number of the newest invalidation.'),
  floor: z.number().describe('Everything that was filled before it is dead.'),
  redis: z
    .object({
      state: z.enum(['connected', 'away']),
      since: iso,
      reason: text.nullable(),
      full: z.boolean(),
      dropped: count,
      log: z.boolean().nullable(),
    })
    .nullable(),
});

export const changes = z.object({
  sources: z.array(
    z.object({
      name: text,
      kind: z.enum(['postgres', 'mysql', 'kafka', 'redis', 'nats', 'http']),
      state: z.enum(['connecting', 'streaming', 'lost', 'stopped']),
      position: text.nullable().describe('The last one applied, as the database spells it.'),
      lagBytes: z.number().nullable(),
      lagSeconds: z.number().nullable(),
      events: count,
      skipped: count,
      error: text.nullable(),
    }),
  ),
});

export const purge = z.object({
  tags: z.array(text).optional(),
  urls: z.array(text).optional().describe('Absolute.'),
  prefixes: z.array(text).optional(),
  all: z.boolean().optional(),
  soft: z.boolean().optional().describe('What is purged is stale, not gone.'),
});
export const purged = z.object({ sequence: z.number() });

export const explain = z.object({
  method: text.optional(),
  url: text,
  headers: z.record(text, z.union([text, z.array(text)])).optional(),
  ip: text.optional(),
  listener: text.optional(),
});
const limit = z.object({
  name: text,
  rate: text.nullable().describe('Null where it depends on who asks, which is not known without asking.'),
  burst: count.nullable(),
  key: text.nullable().describe('What the request counts for; credentials are masked.'),
  report: z.boolean().describe('On trial: it refuses nothing.'),
  says: text,
});
export const explained = z.looseObject({
  route: text.nullable(),
  status: z.number().int().nullable(),
  params: z.record(text, text),
  target: text.nullable(),
  limits: z.array(limit).describe('The limits that would count it.'),
  cache: z
    .object({
      says: text,
      key: z.array(text).describe('What tells its entry apart, in words.'),
      whose: z.enum(['everyone', 'each subject', 'all of one key', 'unsaid']),
      fresh: text,
      tags: z.array(text).nullable(),
      refreshed: z.boolean().describe('Asked for often, it is filled again once a change has unseated it.'),
    })
    .nullable()
    .describe('What the cache would do; null: the route keeps no answers.'),
  rejected: z.array(z.object({ route: text, why: text })),
});

export const requests = z.object({
  requests: z.array(
    z.object({
      id: text.describe('The `x-request-id` that the client got.'),
      at: iso.describe('When it was over.'),
      ip: text,
      method: text,
      host: text,
      path: text.describe('With the query, credentials masked.'),
      status: z.number().int(),
      bytes: count,
      route: text.nullable(),
      auth: z.object({ provider: text, subject: text.nullable() }).nullable(),
      cache: z
        .object({
          outcome: z.enum(['hit', 'stale', 'revalidated', 'collapsed', 'miss', 'bypass']),
          detail: text.nullable(),
        })
        .nullable(),
      service: text.nullable(),
      target: text.nullable().describe('Who was asked last.'),
      failure: z.object({ code: text, cause: text }).nullable(),
      firstByte: z.number().nullable().describe('Milliseconds to the head of the answer.'),
      duration: z.number().describe('Milliseconds to its last byte.'),
    }),
  ),
});

export const config = z.looseObject({}).describe('A config, as `tidegate schema` describes it.');
const routeChanges = z.object({ added: z.array(text), removed: z.array(text), changed: z.array(text) });
const issue = z.object({
  code: text,
  severity: z.enum(['error', 'warning']),
  message: text,
  path: text,
  line: count.optional(),
  column: count.optional(),
  suggestion: text.optional().describe('How to mend it.'),
});
export const replaced = z.object({ etag: text, routes: routeChanges });
export const validated = z.object({
  valid: z.boolean(),
  issues: z.array(issue),
  routes: routeChanges.nullable().describe('What would change; null where it has errors.'),
});
export const history = z.object({
  configs: z.array(z.object({ etag: text, loadedAt: iso, source: text })).max(10),
});
export const rollback = z.object({ etag: text.optional() });
export const nothing = z.object({});
