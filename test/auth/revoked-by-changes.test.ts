/** A change event takes back what a decision let in, as a purge does. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type HttpOrigin,
  httpOrigin,
  type ProcessLab,
  processLab,
  rawClient,
  type TempFolder,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';
import { type AuthServer, authServer } from './auth-server.ts';
import { type Node, startNode } from './nodes.ts';

let server: AuthServer;
let service: HttpOrigin;
let lab: ProcessLab;
let folder: TempFolder;
let node: Node;

beforeEach(async () => {
  server = await authServer();
  server.say = (token) => ({ active: true, sub: token });
  service = await httpOrigin((request, response) => {
    const stream = request.url === '/stream';
    response.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'text/plain' });
    response.write('data');
    if (!stream) response.end();
  });
  lab = processLab();
  folder = tempFolder();
  const endpoint = `${server.origin.url}/introspect`;
  node = await startNode(lab, folder.path, {
    services: { shop: { url: service.url } },
    auth: { main: { introspection: { endpoint, clientId: 'a', clientSecret: 'b', cache: '1h' } } },
    changes: {
      users: { http: { token: 'sesame' }, tables: { 'public.users': ['subject:{row.id}'] } },
    },
    routes: { all: { match: '/*', to: 'shop', auth: { with: 'main' } } },
  });
  await until(async () => (await questions('nobody')) === 0, 'decisions to be kept');
  await until(
    () =>
      node.changed('users', 'sesame', []).then(
        () => true,
        () => false,
      ),
    'the source to stand',
  );
});
afterEach(async () => {
  await lab.close();
  folder.close();
  await service.close();
  await server.origin.close();
});

const url = (path: string) => `http://127.0.0.1:${node.port}${path}`;
const get = async (who: string) =>
  (await fetch(url('/x'), { headers: { authorization: `Bearer ${who}` } })).status;

/** How often the auth server is asked for one request. */
async function questions(who: string): Promise<number> {
  const before = server.asked.length;
  expect(await get(who)).toBe(200);
  return server.asked.length - before;
}

const changed = (event: object) =>
  node.changed('users', 'sesame', {
    source: { db: 'shop', schema: 'public', table: 'users', ts_ms: 1 },
    ...event,
  });

/** Resolves when its stream is cut. */
async function stream(who: string): Promise<{ cut: Promise<void> }> {
  const client = await rawClient({ port: node.port });
  await client.send(`GET /stream HTTP/1.1\r\nHost: shop.test\r\nAuthorization: Bearer ${who}\r\n\r\n`);
  expect((await client.bytes(15)).toString()).toBe('HTTP/1.1 200 OK');
  return { cut: client.rest().then((rest) => expect(rest.toString()).not.toContain('\r\n0\r\n')) };
}

const kept = async () => [await questions('alice'), await questions('bob')];

describe('a change of a row that a subject stands in', () => {
  it('takes back the decisions of that subject, and cuts its streams', async () => {
    await kept();
    expect(await kept()).toEqual([0, 0]);
    const { cut } = await stream('alice');
    await changed({ op: 'u', before: { id: 'alice' }, after: { id: 'alice' } });
    await cut;
    expect(await kept()).toEqual([1, 0]);
  });

  it.each([
    ['a TRUNCATE of its table', { op: 't' }],
    ['an event that does not say which row', { op: 'd', before: null, after: null }],
  ])('or may stand in, since %s names none: all decisions', async (_, event) => {
    await kept();
    await changed(event);
    expect(await kept()).toEqual([1, 1]);
    expect(await kept()).toEqual([0, 0]);
  });
});
