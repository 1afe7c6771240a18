/** The OpenAPI document, held against what a running gateway answers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import * as z from 'zod';
import { OPERATIONS } from '../../src/admin/openapi.ts';
import {
  freePort,
  type ProcessLab,
  processLab,
  type TempFolder,
  tempFolder,
} from '../../src/testkit/index.ts';

const BIN = new URL('../../bin/tidegate', import.meta.url).pathname;
let folder: TempFolder;
let lab: ProcessLab;
let admin: number;

beforeAll(async () => {
  folder = tempFolder();
  lab = processLab();
  const port = await freePort();
  admin = await freePort();
  const config = {
    listen: `127.0.0.1:${port}`,
    admin: `127.0.0.1:${admin}`,
    services: { shop: { url: 'http://127.0.0.1:9' } },
    changes: { push: { http: { token: 'sesame' }, tables: { 'public.a': ['a:{row.id}'] } } },
    routes: { shop: { match: '/*', to: 'shop', cache: true } },
  };
  const gateway = lab.start(BIN, ['run', folder.write('tidegate.yaml', stringify(config))]);
  await gateway.line(/serving/, 20_000);
  await fetch(`http://127.0.0.1:${port}/x`);
}, 30_000);
afterAll(async () => {
  await lab.close();
  folder.close();
});

/** What is sent to resources that take something. */
const BODIES: Readonly<Record<string, object>> = {
  '/v1/services/{name}/targets/{target}': { state: 'drain' },
  '/v1/purge': { tags: ['a'] },
  '/v1/changes/{name}': { op: 'c', after: { id: 1 }, source: { db: 'shop', schema: 'public', table: 'a' } },
  '/v1/explain': { url: '/x' },
  '/v1/config': { routes: { a: { match: '/a', respond: {} } } },
  '/v1/config/validate': { routes: { a: { macth: '/a' } } },
  '/v1/config/rollback': {},
};

const filled = (path: string) =>
  path.replace('{name}/targets/{target}', 'shop/targets/127.0.0.1:9').replace('{name}', 'push');

const all = Object.entries(OPERATIONS).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => [method, path, operation] as const),
);

describe('each resource is as the document says', () => {
  it.each(all)('%s %s', async (method, path, { gives, takes }) => {
    const body = BODIES[path];
    if (takes !== undefined) expect(takes.safeParse(body).success).toBe(true);
    const controller = new AbortController();
    const response = await fetch(`http://127.0.0.1:${admin}${filled(path)}`, {
      method,
      signal: controller.signal,
      headers: {
        ...(method === 'get' ? {} : { 'content-type': 'application/json' }),
        ...(path.includes('{name}') ? { authorization: 'Bearer sesame' } : {}),
        'if-match': '*',
      },
      ...(method === 'get' ? {} : { body: JSON.stringify(body) }),
    });
    expect(response.status).toBe(200);
    const type = response.headers.get('content-type')!.split(';', 1)[0];
    if (typeof gives === 'string') {
      expect(type).toBe(gives);
      return controller.abort();
    }
    expect(type).toBe('application/json');
    const answer: unknown = await response.json();
    // Nothing that the document does not name.
    const strict = gives instanceof z.ZodObject && gives.def.catchall === undefined ? gives.strict() : gives;
    expect(strict.safeParse(answer).error?.issues ?? []).toEqual([]);
  });
});

it('the document is OpenAPI 3.1, with a name of its own for each operation', async () => {
  const document = (await (await fetch(`http://127.0.0.1:${admin}/v1/openapi.json`)).json()) as {
    openapi: string;
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  expect(document.openapi).toBe('3.1.0');
  const names = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map((one) => one.operationId),
  );
  expect(new Set(names).size).toBe(names.length);
  expect(names).toContain('getRoutes');
});

it('the document sends its readers to the address that they have it from', async () => {
  const at = `http://127.0.0.1:${admin}/v1/openapi.json`;
  const { servers } = (await (await fetch(at)).json()) as { servers: { url: string }[] };
  expect(servers.map(({ url }) => new URL(url, at).href)).toEqual([`http://127.0.0.1:${admin}/`]);
});
