import * as z from 'zod';
import * as shapes from './schemas.ts';

/** One way to ask a resource. */
interface Operation {
  readonly summary: string;
  readonly takes?: z.ZodType;
  /** A schema: JSON of it. A text: content of that type. */
  readonly gives: z.ZodType | string;
  /** Further statuses that a client has to reckon with. */
  readonly refusals?: Readonly<Record<number, string>>;
  readonly parameters?: readonly object[];
}

const header = (name: string, description: string, required: boolean) => ({
  name,
  in: 'header',
  description,
  required,
  schema: { type: 'string' },
});

const PROGRAM = { 409: 'The config is a program.' };

/** Every resource of the admin API, by path and method. */
export const OPERATIONS: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  '/healthz': { get: { summary: 'Is the node alive?', gives: 'text/plain' } },
  '/readyz': {
    get: { summary: 'Are requests welcome?', gives: 'text/plain', refusals: { 503: 'Not now, and why.' } },
  },
  '/metrics': { get: { summary: 'All metrics, for Prometheus.', gives: 'text/plain' } },
  '/v1/openapi.json': { get: { summary: 'This document.', gives: z.looseObject({}) } },
  '/v1/status': { get: { summary: 'Version, workers, and which config is in force.', gives: shapes.status } },
  '/v1/routes': { get: { summary: 'Every route with its counters.', gives: shapes.routes } },
  '/v1/series': {
    get: { summary: 'The last ten minutes, second by second.', gives: shapes.series },
  },
  '/v1/services': {
    get: {
      summary: 'Every target with its health, and the breaker of each service.',
      gives: shapes.services,
    },
  },
  '/v1/services/{name}/targets/{target}': {
    post: {
      summary:
        'Drains a target, or takes it in again, on all workers: no new request goes to it, what is under way goes on. Holds until a restart, or a config without that target.',
      takes: shapes.steer,
      gives: shapes.steered,
      refusals: {
        400: 'No such state.',
        404: 'There is no such target.',
        503: 'A new version is taking over.',
      },
      parameters: [
        { name: 'name', in: 'path', required: true, schema: { type: 'string' } },
        {
          name: 'target',
          in: 'path',
          required: true,
          schema: { type: 'string' },
          description: 'Its name as `/v1/services` shows it, percent-encoded, or its host and port.',
        },
      ],
    },
  },
  '/v1/requests': {
    get: {
      summary: 'Requests that are over and still remembered, the newest first.',
      gives: shapes.requests,
      refusals: {
        400: 'The limit is none, or `failed` is neither true nor false.',
        404: 'No request of that id is remembered.',
      },
      parameters: [
        { name: 'id', in: 'query', schema: { type: 'string' } },
        { name: 'route', in: 'query', schema: { type: 'string' } },
        { name: 'failed', in: 'query', schema: { type: 'boolean', default: false } },
        { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 } },
      ],
    },
  },
  '/v1/cache': { get: { summary: 'The caches of the node together.', gives: shapes.cache } },
  '/v1/purge': {
    post: {
      summary: 'Unseats entries; answers once no worker of this node will serve them.',
      takes: shapes.purge,
      gives: shapes.purged,
      refusals: { 400: 'It names nothing.', 503: 'Redis is away: done on this node alone.' },
    },
  },
  '/v1/changes': { get: { summary: 'The change sources.', gives: shapes.changes } },
  '/v1/changes/{name}': {
    post: {
      summary: 'Events in the form of Debezium, for a source of kind http; answers once they are applied.',
      takes: z.looseObject({}),
      gives: shapes.nothing,
      refusals: {
        401: 'Not the token of the source.',
        404: 'There is no such source.',
        413: 'More than `maxBody` of the source.',
        503: 'Not now.',
      },
      parameters: [{ name: 'name', in: 'path', required: true, schema: { type: 'string' } }],
    },
  },
  '/v1/explain': {
    post: {
      summary: 'What would become of a request.',
      takes: shapes.explain,
      gives: shapes.explained,
      refusals: { 400: 'The request makes no sense.' },
    },
  },
  '/v1/config': {
    get: { summary: 'The config in force, secrets masked.', gives: shapes.config },
    put: {
      summary: 'Puts another one in force, until a restart or a change of its file.',
      takes: shapes.config,
      gives: shapes.replaced,
      refusals: {
        400: 'If-Match is not one ETag.',
        409: 'The config is a program, or an address of the new one is taken.',
        412: 'Another config is in force by now.',
        422: 'It has errors: `issues` tells them.',
        428: 'If-Match is missing.',
      },
      parameters: [header('If-Match', 'The ETag of the config that was read.', true)],
    },
  },
  '/v1/config/validate': {
    post: {
      summary: 'What is wrong with a config, and what it would change.',
      takes: shapes.config,
      gives: shapes.validated,
      refusals: PROGRAM,
    },
  },
  '/v1/config/history': {
    get: { summary: 'The last ten configs that were in force, the newest first.', gives: shapes.history },
  },
  '/v1/config/rollback': {
    post: {
      summary: 'Brings one of them back; the newest where none is named.',
      takes: shapes.rollback,
      gives: shapes.replaced,
      refusals: {
        400: 'It names nothing that makes sense.',
        404: 'There is no such config.',
        409: 'The config is a program, or an address of the one that comes back is taken.',
      },
    },
  },
  '/v1/events': {
    get: {
      summary: 'What happens, as server-sent events.',
      gives: 'text/event-stream',
      refusals: { 503: 'As many read them as may.' },
      parameters: [header('Last-Event-ID', 'Go on behind this one.', false)],
    },
  },
};

/** The OpenAPI 3.1 document of the admin API. */
export function openApi(version: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tidegate admin API',
      version,
      description: 'Watches and steers one node. Errors are problem documents (RFC 9457).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    // Relative to where the document is read: the admin listener, under whatever address or name.
    servers: [{ url: '/' }],
    security: [{}, { token: [] }],
    paths: Object.fromEntries(
      Object.entries(OPERATIONS).map(([path, methods]) => [
        path,
        Object.fromEntries(
          Object.entries(methods).map(([method, one]) => [method, operation(path, method, one)]),
        ),
      ]),
    ),
    components: {
      schemas: { Problem: schemaOf(shapes.problem) },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: '`admin.token` of the config.' },
      },
    },
  };
}

function operation(
  path: string,
  method: string,
  { summary, takes, gives, refusals, parameters }: Operation,
): object {
  const content =
    typeof gives === 'string' ? { [gives]: {} } : { 'application/json': { schema: schemaOf(gives) } };
  return {
    operationId: `${method}${path.replace('/v1', '').replaceAll(/[^A-Za-z]+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary,
    ...(parameters === undefined ? {} : { parameters }),
    ...(takes === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(takes) } } } }),
    responses: { 200: { description: 'Done.', content }, ...refused(refusals ?? {}) },
  };
}

function refused(refusals: Readonly<Record<number, string>>): object {
  const problemOf = (description: string) => ({
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  });
  const all = { 403: 'Not from this host or page.', ...refusals, default: 'A problem.' };
  return Object.fromEntries(
    Object.entries(all).map(([status, description]) => [status, problemOf(description)]),
  );
}

function schemaOf(type: z.ZodType): object {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io: 'input' }) as Record<string, unknown>;
  return schema;
}
