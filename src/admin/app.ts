import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import {
  BOUNDS,
  CONTENT_TYPES,
  DETAIL,
  detailOfRow,
  formatFor,
  histogramOf,
  namedCounts,
  quantileOf,
  requestsOf,
  TIMED_PHASES,
} from '../telemetry/index.ts';
import type { ServiceDescription } from '../upstream/index.ts';
import { type NodeView, purgeShown } from '../workers/index.ts';
import type { Audit, Env } from './audit.ts';
import { readConfig, replaceConfig, rollbackConfig, validateConfig } from './config.ts';
import { readExplainRequest } from './explain.ts';
import { SAFE } from './guard.ts';
import { jsonBody, UnreadableBody } from './json-body.ts';
import { metricsText } from './metrics.ts';
import { openApi } from './openapi.ts';
import { problem } from './problem.ts';
import { readPurge } from './purge.ts';
import { postedTo, push } from './push.ts';
import { steerTarget } from './targets.ts';

export const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

const MOST_BODY = 1024 * 1024;
/** Of a config: what is read of one with 30,000 routes can be sent back. */
const MOST_CONFIG = 4 * MOST_BODY;
const CONFIGS: ReadonlySet<string> = new Set(['/v1/config', '/v1/config/validate']);

const OTHERS_NOT_TOLD =
  'Redis can not be reached, so the other nodes have not been told. On this node it is purged.';

/** Of one answer. */
const MOST_REQUESTS = 200;
const FORGOTTEN =
  'No request of this id is remembered: each worker knows its last 500 and the last 100 that ended with a 5xx; those that have not ended are not among them.';

/** What the admin API answers to those who may ask. */
export function adminApp(view: NodeView, failed: (error: Error) => void, audit: Audit = () => {}): Hono<Env> {
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    c.set('peer', (c.env as Partial<HttpBindings> | undefined)?.incoming?.socket.remoteAddress);
    await next();
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
  });
  app.use(
    bounded((c) => {
      if (CONFIGS.has(c.req.path)) return MOST_CONFIG;
      const source = postedTo(c.req.path);
      return (source === null ? null : view.posted(source))?.maxBody ?? MOST_BODY;
    }),
  );
  get(app, '/metrics', async (c) => {
    const format = formatFor(c.req.header('accept'));
    return c.body(metricsText(await view.metrics(), format), 200, {
      'content-type': CONTENT_TYPES[format],
      vary: 'accept',
    });
  });
  let document: object | null = null;
  get(app, '/v1/openapi.json', (c) => {
    document ??= openApi(view.status().version);
    return c.json(document);
  });
  get(app, '/v1/status', (c) => c.json(view.status()));
  get(app, '/v1/routes', async (c) => {
    const { routes, unmatched } = await view.routes();
    return c.json({
      routes: routes.map(({ route, line, row }) => ({
        ...route,
        line,
        ...namedCounts(row),
        ...detailsOf(row),
      })),
      bounds: BOUNDS,
      unmatched: namedCounts(unmatched),
    });
  });
  get(app, '/v1/series', (c) => c.json(view.series()));
  get(app, '/v1/services', async (c) => c.json({ services: (await view.services()).map(describe) }));
  // A target's name is a URL: with its slashes written out it is several segments.
  app.post('/v1/services/:service/targets/:target{.+}', (c) => steerTarget(c, view, audit));
  askedWithPost(app, '/v1/services/:service/targets/:target{.+}');
  app.post('/v1/explain', async (c) => {
    const request = readExplainRequest(await jsonBody(c));
    if (typeof request === 'string') return problem(c, 400, 'Bad Request', request);
    try {
      return c.json(await view.explain(request));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'BAD_REQUEST') throw error;
      return problem(c, 400, 'Bad Request', `${message}.`);
    }
  });
  askedWithPost(app, '/v1/explain');
  app.get('/v1/config', (c) => readConfig(c, view));
  app.put('/v1/config', (c) => replaceConfig(c, view, audit));
  app.all('/v1/config', (c) =>
    problem(c, 405, 'Method Not Allowed', 'This resource is read, or replaced with PUT.', {
      allow: 'GET, HEAD, PUT',
    }),
  );
  get(app, '/v1/config/history', (c) => c.json({ configs: view.configHistory() }));
  app.post('/v1/config/validate', (c) => validateConfig(c, view));
  askedWithPost(app, '/v1/config/validate');
  app.post('/v1/config/rollback', (c) => rollbackConfig(c, view, audit));
  askedWithPost(app, '/v1/config/rollback');
  get(app, '/v1/requests', async (c) => {
    const id = c.req.query('id') ?? null;
    const limit = Number(c.req.query('limit') ?? 50);
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_REQUESTS)
      return problem(c, 400, 'Bad Request', `limit is a whole number from 1 to ${MOST_REQUESTS}.`);
    const failed = c.req.query('failed') ?? 'false';
    if (failed !== 'true' && failed !== 'false')
      return problem(c, 400, 'Bad Request', 'failed is true or false.');
    const route = c.req.query('route') ?? null;
    const requests = await view.recent({ id, route, failed: failed === 'true', limit });
    if (id !== null && requests.length === 0) return problem(c, 404, 'Not Found', FORGOTTEN);
    return c.json({ requests });
  });
  get(app, '/v1/cache', async (c) => c.json(await view.cache()));
  app.post('/v1/purge', async (c) => {
    const purge = readPurge(await jsonBody(c));
    if (typeof purge === 'string') return problem(c, 400, 'Bad Request', purge);
    const fields = purgeShown(purge, 10);
    try {
      const done = await view.purge(purge);
      audit(c, 'the cache was purged', 'done', { ...fields, ...done });
      return c.json(done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'UNAVAILABLE') throw error;
      audit(c, 'the cache was purged', 'others not told', fields);
      return problem(c, 503, 'Service Unavailable', OTHERS_NOT_TOLD);
    }
  });
  askedWithPost(app, '/v1/purge');
  app.all('/v1/events', (c) =>
    problem(c, 405, 'Method Not Allowed', 'Events are read with GET.', { allow: 'GET' }),
  );
  get(app, '/v1/changes', (c) => c.json({ sources: view.changes() }));
  app.post('/v1/changes/:name', (c) => push(c, view, audit));
  askedWithPost(app, '/v1/changes/:name');
  app.notFound((c) => problem(c, 404, 'Not Found', 'The admin API has no such resource.'));
  app.onError((error, c) => {
    if (error instanceof UnreadableBody) return problem(c, 400, 'Bad Request', error.message);
    if (hasLeft(c)) return problem(c, 400, 'Bad Request', 'The body did not arrive whole.');
    failed(error);
    if (!SAFE.has(c.req.method))
      audit(c, 'a change was asked for', 'failed', { path: c.req.path.slice(0, 256) });
    return problem(c, 500, 'Internal Server Error', 'The admin API failed; the log says why.');
  });
  return app;
}

/** The client has gone in the midst of its body: nothing was asked for, and nobody hears the answer. */
function hasLeft(c: Context<Env>): boolean {
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>;
  return incoming?.destroyed === true && !incoming.complete;
}

/** A body over the bound is refused before more of it is read. */
function bounded(most: (c: Context<Env>) => number): MiddlewareHandler<Env> {
  return (c, next) => {
    const maxSize = most(c);
    const onError = (at: Context) => {
      // It stays while what is still sent is passed over: closed at once, the answer might be lost to a reset.
      c.env.outgoing.shouldKeepAlive = true;
      return problem(at, 413, 'Content Too Large', `The body may have ${maxSize} bytes.`);
    };
    return bodyLimit({ maxSize, onError })(c, next);
  };
}

/** By what the cache made of them, and by how long they took (`bounds`; `p50` and `p99` in seconds). */
function detailsOf(row: Float64Array | undefined) {
  const detail = detailOfRow(row);
  const outcomes: Record<string, number> = {};
  if (detail === null) return { outcomes, cache: {}, durations: [], p50: null, p99: null, waits: {} };
  for (const { cache, count } of requestsOf(detail)) outcomes[cache] = (outcomes[cache] ?? 0) + count;
  const { none: _, ...cache } = outcomes;
  return {
    outcomes,
    cache,
    durations: [...detail.subarray(DETAIL.duration, DETAIL.duration + BOUNDS.length + 1)],
    p50: quantileOf(detail, DETAIL.duration, 0.5),
    p99: quantileOf(detail, DETAIL.duration, 0.99),
    waits: Object.fromEntries(WAITS.map((phase) => [phase, waitOf(detail, DETAIL[phase])])),
  };
}

/** What a request waits for, and the wait for the head of its answer. */
const WAITS = [...TIMED_PHASES, 'firstByte'] as const;

function waitOf(detail: Float64Array, at: number) {
  const { count } = histogramOf(detail, at);
  return { count, p50: quantileOf(detail, at, 0.5), p99: quantileOf(detail, at, 0.99) };
}

/** Times as text, as in every answer of the admin API. */
function describe({ targets, ...service }: ServiceDescription) {
  const told = targets.map(({ lastFailure, ...target }) => ({
    ...target,
    lastFailure: lastFailure === null ? null : { ...lastFailure, at: new Date(lastFailure.at).toISOString() },
  }));
  return { ...service, targets: told };
}

function askedWithPost(app: Hono<Env>, path: string): void {
  app.all(path, (c) =>
    problem(c, 405, 'Method Not Allowed', 'This resource is asked with POST.', { allow: 'POST' }),
  );
}

/** A resource that can only be read. Hono answers HEAD with the handler of GET. */
function get(app: Hono<Env>, path: string, handler: (c: Context<Env>) => Response | Promise<Response>): void {
  app.get(path, handler);
  app.all(path, (c) => {
    const detail = 'This resource can only be read.';
    return problem(c, 405, 'Method Not Allowed', detail, { allow: 'GET, HEAD' });
  });
}
