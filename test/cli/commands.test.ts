import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  certificates,
  endpointSlice,
  http2Origin,
  httpOrigin,
  kubernetesApi,
  scriptedOrigin,
  type TempFolder,
  tempFolder,
} from '../../src/testkit/index.ts';
import { tidegate as run, tidegateOnFullDisk } from './tidegate.ts';

let folder: TempFolder;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.close());

const tidegate = (...args: string[]) => run(folder.path, args);

const CONFIG = `services:
  catalogue: { url: http://127.0.0.1:4001 }
  ordering: { targets: [ http://127.0.0.1:4003, http://127.0.0.1:4013 ] }
  next: { url: https://next.example/v2 }
routes:
  catalogue: { match: /catalogue/*, to: catalogue }
  product: { match: { path: '/catalogue/products/{sku}', method: GET }, to: { service: catalogue, path: '/p/{params.sku}' } }
  beta: { match: { path: /ordering/*, headers: { x-beta: on } }, to: [ { service: ordering, weight: 90 }, { service: next, weight: 10 } ] }
  hello: { match: /hello, respond: { status: 201, body: hello } }
  old: { match: /old/*, redirect: { path: /new/* } }
`;
const BROKEN = 'routes:\n  a: { match: /a, to: nobody, tiemout: 5s }\n';
const WARNED = `${CONFIG}  dead: { match: /old/*, to: catalogue }\n`;

describe('check', () => {
  test('says that a config is in order, and ends with 0', async () => {
    folder.write('tidegate.yaml', CONFIG);
    const { code, stdout, stderr } = await tidegate('check');
    expect(stderr).toBe('');
    expect(stdout).toBe('tidegate.yaml is in order: 3 services, 5 routes\n');
    expect(code).toBe(0);
  });

  test('says everything that is wrong, however much that is for the pipe it goes into', async () => {
    const routes = Array.from({ length: 1000 }, (_, i) => `  r${i}: { match: /r${i}, to: nobody }\n`);
    folder.write('tidegate.yaml', `services: {}\nroutes:\n${routes.join('')}`);
    for (const command of ['check', 'run']) {
      const { code, stderr } = await tidegate(command);
      expect(stderr.match(/there is no service named "nobody"/g)).toHaveLength(1000);
      expect(code).toBe(1);
    }
  });

  test('tells what the caches of all workers take', async () => {
    const cached = CONFIG.replace('to: catalogue }', 'to: catalogue, cache: { ttl: 1m } }');
    folder.write('tidegate.yaml', `workers: 4\n${cached}`);
    const { stdout, code } = await tidegate('check');
    expect(stdout).toContain('the cache takes up to 256MiB of memory: 4 workers of 64MiB each\n');
    expect(code).toBe(0);
    const { stdout: json } = await tidegate('check', '--json');
    expect(JSON.parse(json).cacheMemory).toEqual({
      perWorker: 64 * 1024 ** 2,
      workers: 4,
      total: 256 * 1024 ** 2,
    });
  });

  test('shows all errors at once, counts them, and ends with 1', async () => {
    folder.write('gateway.yaml', BROKEN);
    const { code, stdout, stderr } = await tidegate('check', 'gateway.yaml');
    expect(stdout).toBe('');
    expect(stderr).toContain('gateway.yaml:2:23: error: there is no service named "nobody"');
    expect(stderr).toContain('gateway.yaml:2:31: error: "tiemout" is not a key of a route');
    expect(stderr).toMatch(/gateway\.yaml: 2 errors\n$/);
    expect(stderr).not.toMatch(/\x1b| {4}at /);
    expect(code).toBe(1);
  });

  test('leaves 0 on warnings, and makes them 1 with --strict', async () => {
    folder.write('tidegate.yaml', WARNED);
    const lenient = await tidegate('check');
    expect(lenient.stderr).toContain('warning: no request reaches the route "dead"');
    expect(lenient.stdout).toContain('1 warning');
    expect(lenient.code).toBe(0);
    const strict = await tidegate('check', '--strict');
    expect(strict.code).toBe(1);
    expect(strict.stderr).toContain('--strict');
  });

  test('gives what it found as data with --json', async () => {
    folder.write('tidegate.yaml', BROKEN);
    const { code, stdout } = await tidegate('check', '--json');
    const data = JSON.parse(stdout);
    expect(data.ok).toBe(false);
    expect(data.errors[0]).toMatchObject({
      code: 'TG_CONFIG_REFERENCE',
      file: 'tidegate.yaml',
      line: 2,
      column: 23,
      path: 'routes.a.to',
      message: 'there is no service named "nobody"',
    });
    expect(code).toBe(1);
  });

  test('--connect tries every target, and tells which do not answer', async () => {
    const server = createServer((socket) => socket.destroy());
    const port = await listening(server);
    const pair = await (await certificates()).leaf(['127.0.0.1']);
    const secret = await http2Origin(() => {}, pair);
    const old = await scriptedOrigin([], { tls: pair });
    const plain = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const plainPort = await listening(plain);
    folder.write(
      'tidegate.yaml',
      `services:
  up: { url: 'http://127.0.0.1:${port}' }
  down: { url: 'http://127.0.0.1:1' }
  absent: { url: 'unix:/nowhere/at.sock' }
  both: { targets: ['h2c://127.0.0.1:${port}', 'h2://127.0.0.1:${secret.port}'], tls: { verify: false } }
  old: { url: 'h2://127.0.0.1:${old.port}', tls: { verify: false } }
  plain: { url: 'https://127.0.0.1:${plainPort}' }
routes: { r: { match: /, to: [up, down, absent, both, old, plain] } }
`,
    );
    const { code, stdout, stderr } = await tidegate('check', '--connect');
    server.close();
    await secret.close();
    await old.close();
    plain.close();
    expect(stdout).toContain(`both: h2c://127.0.0.1:${port} accepts connections`);
    expect(stdout).toContain(`both: h2://127.0.0.1:${secret.port} accepts connections`);
    expect(stderr).toContain(`old: h2://127.0.0.1:${old.port} failed: it does not offer HTTP/2`);
    expect(stderr).toContain(`plain: https://127.0.0.1:${plainPort} failed: it does not speak TLS\n`);
    expect(stdout).toContain(`up: http://127.0.0.1:${port} accepts connections`);
    expect(stderr).toContain('down: http://127.0.0.1:1 refuses connections');
    expect(stderr).toContain(
      'absent: unix:/nowhere/at.sock cannot be reached: there is no socket /nowhere/at.sock',
    );
    expect(code).toBe(1);
  });

  test('--connect asks the auth servers, and tells which can not be used, and why', async () => {
    const server = await httpOrigin((request, response) => {
      const json = (status: number, value: object) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      const isGateway = request.headers.authorization === `Basic ${btoa('gateway:right')}`;
      request.resume().on('end', () => {
        if (request.url === '/introspect')
          return isGateway ? json(200, { active: false }) : json(401, { error: 'invalid_client' });
        if (request.url === '/keys') return json(200, { keys: [] });
        if (request.url === '/verify') return json(401, {});
        if (request.url === '/blank/.well-known/openid-configuration') return json(200, {});
        json(404, { issuer: 'x' });
      });
    });
    const { url } = server;
    folder.write(
      'tidegate.yaml',
      `services: { up: { url: '${url}', auth: { clientCredentials: { tokenEndpoint: '${url}/token', clientId: a, clientSecret: s } } } }
auth:
  asked: { introspection: { endpoint: '${url}/introspect', clientId: gateway, clientSecret: '\${env.A:right}' } }
  wrong: { introspection: { endpoint: '${url}/introspect', clientId: gateway, clientSecret: '\${env.A:wrong}' } }
  found: { jwt: { issuer: '${url}', audience: a } }
  blank: { jwt: { issuer: '${url}/blank', audience: a } }
  empty: { jwt: { jwks: '${url}/keys', issuer: other, audience: a } }
  login: { forward: { url: '${url}/verify' } }
  lost: { forward: { url: '${url}/nothing' } }
  filled: { forward: { url: '${url}/{params.tenant}' } }
routes:
  r: { match: /, to: up, auth: { with: [asked, wrong, found, blank, empty, login, lost, filled], opa: { url: 'http://127.0.0.1:1/v1/data/x' } } }
`,
    );
    const { code, stdout, stderr } = await tidegate('check', '--connect');
    const { authServers } = JSON.parse((await tidegate('check', '--connect', '--json')).stdout);
    await server.close();
    for (const name of ['auth.asked', 'auth.login', 'auth.filled', 'services.up.auth'])
      expect(stdout).toContain(`${name}: ${url} answers (`);
    const lineOf = (start: string) => stderr.split('\n').find((line) => line.startsWith(start));
    for (const [name, why] of [
      ['wrong', 'its answer, with status 401, is none'],
      ['wrong', '(invalid_client)'],
      ['found', `${url}/.well-known/oauth-authorization-server gives 404`],
      ['blank', 'its metadata names no issuer'],
      ['empty', 'none of its keys can be used'],
      ['lost', 'it answers 404'],
    ])
      expect(lineOf(`auth.${name}: ${url} cannot be used: `)).toContain(why);
    expect(stderr).toContain('routes.r.auth.opa: http://127.0.0.1:1 cannot be used: connect ECONNREFUSED');
    expect(stderr).toContain('6 of 10 auth servers cannot be used');
    expect(code).toBe(1);
    expect(authServers[0]).toEqual({
      name: 'auth.asked',
      server: url,
      milliseconds: expect.any(Number),
      error: null,
    });
  });

  test('--connect asks who knows the targets, tries those, and tells why there are none', async () => {
    const server = createServer((socket) => socket.destroy());
    const port = await listening(server);
    const api = await kubernetesApi();
    api.put(endpointSlice('shop', port, '127.0.0.1'));
    folder.write('ca.pem', api.ca);
    const discover = (more: string) =>
      `{ discover: { kubernetes: edge/shop, api: '${api.url}', tls: { ca: ca.pem }${more} } }`;
    folder.write(
      'tidegate.yaml',
      `services:
  shop: ${discover('')}
  web: ${discover(', port: web')}
routes: { r: { match: /, to: [shop, web] } }
`,
    );
    const { code, stdout, stderr } = await tidegate('check', '--connect');
    server.close();
    await api.close();
    expect(stdout).toContain(`shop: http://127.0.0.1:${port} accepts connections`);
    expect(stderr).toContain(
      `web: http://shop.edge.svc cannot be found: the service edge/shop has no TCP port web, but http (${port})`,
    );
    expect(code).toBe(1);
  });
});

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}

test('check counts what it tells: a slip behind two aliases once', async () => {
  folder.write(
    'tidegate.yaml',
    `services:
  a: &a { url: http://127.0.0.1:4001, tiemout: 1s }
  b: *a
routes:
  r: { match: /r, to: [a, b] }
`,
  );
  expect((await tidegate('check')).stderr).toMatch(/^tidegate\.yaml: 1 error$/m);
});

test('routes masks a key in the query of a path', async () => {
  folder.write(
    'tidegate.yaml',
    "services: { a: { url: http://127.0.0.1:4001 } }\nroutes: { r: { match: /x, to: { service: a, path: '/y?apikey=hunter2' } } }",
  );
  const table = await tidegate('routes');
  expect(table.stdout).toContain('to a /y?apikey=***');
  expect((await tidegate('routes', '--json')).stdout).not.toContain('hunter2');
});

describe('which config is meant', () => {
  test('is an error of usage where none is there', async () => {
    const { code, stderr } = await tidegate('check');
    expect(stderr).toContain(
      'there is no tidegate.yaml, tidegate.yml, tidegate.json, tidegate.config.ts or tidegate.config.js',
    );
    expect(stderr).toContain('tidegate init');
    expect(code).toBe(2);
  });

  test('is an error of usage where several are there', async () => {
    folder.write('tidegate.yaml', CONFIG);
    folder.write('tidegate.json', '{}');
    const { code, stderr } = await tidegate('routes');
    expect(stderr).toContain('several configs in this folder: tidegate.yaml, tidegate.json');
    expect(code).toBe(2);
  });

  test('is the one that is named, and it must exist', async () => {
    const { code, stderr } = await tidegate('check', 'nothing.yaml');
    expect(stderr).toContain('nothing.yaml: error: the config does not exist');
    expect(code).toBe(1);
  });
});

describe('a config that is a program', () => {
  const IMPORT = "import { defineGateway } from 'tidegate';\n";

  test('finds the running gateway behind import "tidegate", and may have functions', async () => {
    folder.write('shared.ts', "export const url: string = 'http://127.0.0.1:4001';\n");
    folder.write(
      'tidegate.config.ts',
      `${IMPORT}import { url } from './shared.ts';
export default defineGateway({
  services: { catalogue: { url } },
  routes: { beta: { match: { path: '/a/{id}', when: ({ request }) => request.headers['x-beta'] === 'on' }, to: 'catalogue' } },
});
`,
    );
    expect(await tidegate('check')).toMatchObject({ code: 0, stderr: '' });
    const taken = await tidegate('explain', 'GET', '/a/7', '-H', 'x-beta: on', '--json');
    expect(JSON.parse(taken.stdout)).toMatchObject({ route: 'beta', params: { id: '7' } });
    const passed = await tidegate('explain', 'GET', '/a/7', '--json');
    expect(JSON.parse(passed.stdout)).toMatchObject({ route: null, status: 404 });
  });

  test('may be JavaScript', async () => {
    folder.write(
      'tidegate.config.js',
      "export default { routes: { r: { match: '/', respond: { body: 'x' } } } };\n",
    );
    expect(await tidegate('check')).toMatchObject({
      code: 0,
      stdout: 'tidegate.config.js is in order: 0 services, 1 route\n',
    });
  });

  test('is told of by its keys', async () => {
    folder.write('tidegate.config.ts', "export default { routes: { a: { match: '/a', to: 'nobody' } } };\n");
    const { code, stderr } = await tidegate('check');
    expect(stderr).toContain('tidegate.config.ts: routes.a.to: error: there is no service named "nobody"');
    expect(code).toBe(1);
  });

  test('says where a file that it imports went wrong', async () => {
    folder.write('shared.ts', 'export const url = ;\n');
    folder.write('tidegate.config.ts', "import { url } from './shared.ts';\nexport default { url };\n");
    expect((await tidegate('check')).stderr).toContain('SyntaxError: Expression expected (shared.ts:1)');
  });

  test('may talk, but not amid what was asked for', async () => {
    folder.write('tidegate.config.ts', "console.log('hello');\nexport default { routes: {} };\n");
    const { stdout, stderr } = await tidegate('routes', '--json');
    expect(JSON.parse(stdout)).toEqual([]);
    expect(stderr).toContain('hello');
  });

  test.each([
    ['has a slip in its syntax', 'export default {;\n', 'error'],
    ['imports what is not there', "import './missing.ts';\nexport default {};\n", 'missing.ts'],
    [
      'exports nothing by default',
      'export const config = {};\n',
      'the file has no default export (it exports config)',
    ],
    ['exports a function', 'export default () => ({});\n', 'the default export is a function'],
    [
      'has a slip in its second line',
      'export default {\n  services: { a: }\n};\n',
      'tidegate.config.ts:2:18: error:',
    ],
    ['throws', "const a = 1;\n  throw new Error('no ' + a);\n", 'tidegate.config.ts:2:9: error: no 1'],
    ['has an enum', 'enum A { b }\nexport default { a: A.b };\n', 'enum'],
  ])('that %s is refused in plain words', async (_what, text, expected) => {
    folder.write('tidegate.config.ts', text);
    const { code, stderr } = await tidegate('check');
    expect(stderr).toContain(expected);
    expect(stderr).toContain('[TG_CONFIG_CODE]');
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(code).toBe(1);
  });
});

test.each([
  ["setTimeout(() => { throw new Error('later'); }); await new Promise(() => {});", 'later'],
  ["Promise.reject(new Error('alone')); await new Promise(() => {});", 'alone'],
])('a config that throws beside what it exports is wrong, and shows no stack: %s', async (code, message) => {
  folder.write('tidegate.config.js', `export default { routes: {} };\n${code}\n`);
  const { code: exit, stderr } = await tidegate('check');
  expect(stderr).toBe(`tidegate.config.js: error: it throws, beside its config: Error: ${message}\n`);
  expect(exit).toBe(1);
});

test('run of a config that ends its process says so, and ends with 1', async () => {
  const file = folder.write('tidegate.config.js', 'process.exit(3);\n');
  const { code, stderr } = await tidegate('run');
  expect(stderr).toBe(`${file}: error: the config does not stay loaded: the worker ended with code 3\n`);
  expect(code).toBe(1);
});

describe('routes', () => {
  test('lists each route with what it takes and does', async () => {
    folder.write('tidegate.yaml', CONFIG);
    const { code, stdout } = await tidegate('routes');
    expect(stdout.split('\n').map((line) => line.replace(/ {2,}/g, ' | '))).toEqual([
      'ROUTE | TAKES | DOES',
      'catalogue | /catalogue/* | to catalogue',
      'product | GET /catalogue/products/{sku} | to catalogue /p/{params.sku}',
      'beta | /ordering/*, header x-beta "on" | to 90 × ordering, 10 × next',
      'hello | /hello | answers 201',
      'old | /old/* | redirects (308) to path /new/*',
      '',
    ]);
    expect(code).toBe(0);
  });

  test('gives them as data with --json', async () => {
    folder.write('tidegate.yaml', CONFIG);
    const { stdout } = await tidegate('routes', '--json');
    expect(JSON.parse(stdout)[1]).toEqual({
      route: 'product',
      match: 'GET /catalogue/products/{sku}',
      action: 'proxy',
      does: 'to catalogue /p/{params.sku}',
      services: ['catalogue'],
      guarded: false,
      cached: false,
    });
  });
});

const GUARDED = `services:
  shop: { url: http://127.0.0.1:4001 }
auth:
  main: { jwt: { issuer: https://issuer.example, audience: orders } }
  keys: { apiKey: { keys: [ { hash: 'sha256:2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683', subject: robot } ] } }
policies:
  readOrders: '"orders:read" in auth.permissions'
routes:
  orders: { match: /orders, to: shop, auth: { with: [main, keys], allow: readOrders } }
  mine: { match: '/mine/{who}', to: shop, auth: { with: keys, allow: auth.subject == params.who } }
  news: { match: /news, to: shop, auth: { with: keys, optional: true } }
  hello: { match: /hello, respond: { body: hello } }
`;

describe('auth', () => {
  beforeEach(() => {
    folder.write('tidegate.yaml', GUARDED);
  });
  const explained = async (...args: string[]) =>
    JSON.parse((await tidegate('explain', 'GET', ...args, '--json')).stdout);

  test('check lists the routes that are open to everyone', async () => {
    const { code, stdout } = await tidegate('check');
    expect(stdout).toBe('tidegate.yaml is in order: 1 service, 4 routes\nopen to everyone: hello\n');
    expect(code).toBe(0);
    expect(JSON.parse((await tidegate('check', '--json')).stdout).open).toEqual(['hello']);
  });

  test('explain says who would be asked, and what is certain already', async () => {
    const nothing = await explained('/orders');
    expect(nothing).toMatchObject({ route: 'orders', status: 401, target: 'http://127.0.0.1:4001/orders' });
    expect(nothing.auth).toEqual({
      with: ['main', 'keys'],
      optional: false,
      provider: null,
      place: null,
      says: 'there is no credential: 401',
      asks: ['the policy readOrders'],
      status: 401,
    });
    const payload = Buffer.from('{"iss":"https://issuer.example"}').toString('base64url');
    const token = await explained('/orders', '-H', `Authorization: Bearer e30.${payload}.AAAA`);
    expect(token.auth).toMatchObject({ provider: 'main', place: 'header authorization', status: null });
    expect(token.status).toBe(null);
    expect(JSON.stringify(token)).not.toContain(payload);
    expect((await explained('/mine/robot', '-H', 'x-api-key: key')).auth).toMatchObject({
      provider: 'keys',
      says: 'it is robot',
      status: null,
    });
    expect((await explained('/mine/bob', '-H', 'x-api-key: key')).auth).toMatchObject({ status: 403 });
    expect((await explained('/news')).auth).toMatchObject({ says: 'it passes as nobody', status: null });
    expect((await explained('/hello')).auth).toBe(null);
  }, 60_000);

  test('explain says it in words', async () => {
    const { stdout } = await tidegate('explain', 'GET', '/mine/bob', '-H', 'x-api-key: key');
    expect(stdout).toContain('auth keys (header x-api-key): it is robot; it is not allowed: 403');
    expect(stdout).toContain('asks for auth.subject == params.who');
  });
});

describe('explain', () => {
  test('tells that the path of readiness is answered before all routes', async () => {
    const ready = 'admin: { address: 127.0.0.1:9901, readyPath: /_/ready }\n';
    folder.write('tidegate.yaml', `${ready}${CONFIG}  rest: { match: /*, respond: { body: rest } }\n`);
    const asked = async (...args: string[]) => {
      const { route, status, why } = JSON.parse((await tidegate('explain', '--json', ...args)).stdout);
      return { route, status, why };
    };
    const why = 'it asks for `admin.readyPath`, which is answered before all routes';
    expect(await asked('GET', '/_/ready?from=lb')).toEqual({ route: null, status: 200, why });
    expect(await asked('POST', '/_/ready')).toEqual({ route: null, status: 405, why });
    expect(await asked('GET', '/_/ready/more')).toMatchObject({ route: 'rest' });
  });

  beforeEach(() => {
    folder.write('tidegate.yaml', CONFIG);
  });

  const explained = async (...args: string[]) =>
    JSON.parse((await tidegate('explain', ...args, '--json')).stdout);

  test('names the route, the parameters and the target, and why the others do not fit', async () => {
    const data = await explained('GET', '/catalogue/products/A%20B?x=1');
    expect(data).toMatchObject({
      route: 'product',
      status: null,
      params: { sku: 'A B' },
      target: 'http://127.0.0.1:4001/p/A%20B?x=1',
    });
    expect(data.rejected.find((one: { route: string }) => one.route === 'hello').why).toContain(
      'does not match',
    );
    expect(data.rejected).toHaveLength(4);
  });

  test('masks what sounds like a secret in the URLs that it shows', async () => {
    folder.write(
      'tidegate.yaml',
      `services: { a: { url: http://127.0.0.1:4001 } }
routes:
  to: { match: /to, to: { service: a, path: '/x?api_key=hunter2' }, cache: { ttl: 1m } }
  moved: { match: /moved, redirect: { to: 'https://shop.example/?token=hunter2' } }
  all: { match: /all, aggregate: { calls: { one: { to: a, path: '/one?token=hunter2' } } } }
`,
    );
    const told = [
      await explained('GET', '/to?token=hunter2'),
      await explained('GET', '/moved'),
      await explained('GET', '/all'),
    ];
    expect(told[0].target).toBe('http://127.0.0.1:4001/x?api_key=***&token=***');
    expect(told[1].location).toBe('https://shop.example/?token=***');
    expect(told[2].plan.calls[0].path).toBe('/one?token=***');
    expect(JSON.stringify(told)).not.toContain('hunter2');
  });

  test('tells every side of a weighted route and every target', async () => {
    const data = await explained('POST', 'http://shop.example/ordering/1', '-H', 'x-beta: on');
    expect(data.destinations).toEqual([
      {
        service: 'ordering',
        weight: 90,
        method: 'POST',
        urls: ['http://127.0.0.1:4003/ordering/1', 'http://127.0.0.1:4013/ordering/1'],
        weights: [1, 1],
        balance: 'leastRequests',
        retries: 1,
        on: ['connectFailure'],
      },
      expect.objectContaining({ service: 'next', weight: 10, urls: ['https://next.example/v2/ordering/1'] }),
    ]);
  });

  test('tells what the gateway answers itself', async () => {
    expect(await explained('GET', '/hello')).toMatchObject({ route: 'hello', status: 201, target: null });
    expect(await explained('GET', '/old/x?y=1')).toMatchObject({
      route: 'old',
      status: 308,
      location: '/new/x?y=1',
    });
  });

  test('tells why no route takes a request', async () => {
    const missed = await explained('GET', '/ordering/1');
    expect(missed).toMatchObject({ route: null, status: 404, target: null });
    expect(missed.rejected.find((one: { route: string }) => one.route === 'beta').why).toContain(
      'header x-beta must be "on", was absent',
    );
    expect(await explained('GET', '/a%00b')).toMatchObject({ route: null, status: 400 });
    expect(await explained('GET', 'http://shop.example/hello world')).toMatchObject({ status: 400 });
  });

  test('tells what no route can take', async () => {
    expect(await explained('CONNECT', '/hello')).toMatchObject({ route: null, status: 501 });
    expect(await explained('GET', '*')).toMatchObject({ route: null, status: 400 });
    expect(await explained('GET', `/hello?${'x'.repeat(9000)}`)).toMatchObject({ route: null, status: 414 });
    const head = (...lines: string[]) => explained('GET', '/hello', ...lines.flatMap((line) => ['-H', line]));
    expect(await head('host: a', 'host: b')).toMatchObject({
      route: null,
      status: 400,
      why: 'The request needs exactly one valid Host',
    });
    expect(await head(`x-a: ${'x'.repeat(40_000)}`)).toMatchObject({ route: null, status: 431 });
    expect(await head('content-length: 1', 'transfer-encoding: chunked')).toMatchObject({ status: 400 });
    expect(await head('expect: tea')).toMatchObject({ status: 417 });
    expect(await head('host: a', 'x-a: é', 'expect: 100-continue')).toMatchObject({ route: 'hello' });
    expect(await explained('OPTIONS', '*')).toMatchObject({ route: null, status: 204 });
    const { stdout } = await tidegate('explain', 'CONNECT', '/hello');
    expect(stdout).toContain('CONNECT is not offered here');
  });

  test('tells that a Host cannot be made of the request', async () => {
    folder.write(
      'tidegate.yaml',
      "services: { a: { url: http://127.0.0.1:4001, host: '{request.query.shop}.example' } }\nroutes: { r: { match: /*, to: a } }",
    );
    expect(await explained('GET', '/x?shop=tea')).toMatchObject({ route: 'r', status: null });
    expect(await explained('GET', '/x?shop=a/b')).toMatchObject({ route: 'r', status: 400, target: null });
  });

  test('a when reads what the path of its own route captures', async () => {
    folder.write(
      'tidegate.yaml',
      `routes:
  many: { match: { path: '/orders/{id:int}', when: int(params.id) > 1000 }, respond: { body: many } }
  old: { match: { path: '/orders/{year}', when: params.year.startsWith("19") }, respond: { body: old } }
`,
    );
    expect(await explained('GET', '/orders/2000')).toMatchObject({ route: 'many', params: { id: '2000' } });
    expect(await explained('GET', '/orders/190')).toMatchObject({ route: 'old', params: { year: '190' } });
    expect(await explained('GET', '/orders/200')).toMatchObject({ route: null, status: 404, params: {} });
  });

  test('is readable without --json', async () => {
    const { code, stdout } = await tidegate('explain', 'tidegate.yaml', 'GET', '/catalogue/products/7');
    expect(stdout).toContain(
      'Route product takes it.\n  params.sku = "7"\n  to catalogue: GET http://127.0.0.1:4001/p/7\n',
    );
    expect(stdout).toContain('Not these:');
    expect(code).toBe(0);
  });

  test.each([
    [['GET'], 'explain takes a method and a URL'],
    [['elsewhere.yaml', 'GET'], '"GET" is neither a URL nor a path'],
    [['GET', 'catalogue'], '"catalogue" is neither a URL nor a path that begins with /'],
    [['GET', 'http://[bad/x'], '"[bad" is not a host'],
    [['GET', 'http://shop.example /x'], '"shop.example " is not a host'],
    [['GET', '/x', '-H', 'host: a b'], '"a b" is not a host'],
    [['G T', '/x'], '"G T" is not a method'],
    [['GET', '/x', '-H', 'nonsense'], '"nonsense" is not a header'],
    [['GET', '/x', '--listener', 'nobody'], 'there is no listener "nobody"'],
    [['GET', '/x', '--ip', 'localhost'], '"localhost" is not an IP address'],
  ])('%j is an error of usage', async (args, message) => {
    const { code, stderr } = await tidegate('explain', ...args);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});

describe('schema', () => {
  test('prints a JSON Schema that describes every key', async () => {
    const { code, stdout } = await tidegate('schema');
    const schema = JSON.parse(stdout);
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining([
        'listen',
        'admin',
        'workers',
        'services',
        'policies',
        'defaults',
        'routes',
        'drain',
        'log',
      ]),
    );
    const { match, to } = schema.properties.routes.additionalProperties.properties;
    expect(match.description).toContain('Which requests');
    expect(to.description).toContain('service');
    expect(code).toBe(0);
  });
});

describe('init', () => {
  test('writes a commented config that is in order, and the schema that it names', async () => {
    const { code, stdout } = await tidegate('init');
    expect(stdout).toContain('tidegate check tidegate.yaml');
    expect(code).toBe(0);
    const text = readFileSync(join(folder.path, 'tidegate.yaml'), 'utf8');
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/tidegate\.schema\.json\n/);
    expect(JSON.parse(readFileSync(join(folder.path, 'tidegate.schema.json'), 'utf8')).title).toBe(
      'Tidegate',
    );
    expect(await tidegate('check', '--strict')).toMatchObject({ code: 0, stderr: '' });
  });

  test('never writes over a file', async () => {
    folder.write('tidegate.yaml', 'mine\n');
    const { code, stderr } = await tidegate('init');
    expect(stderr).toContain('tidegate.yaml is there already');
    expect(readFileSync(join(folder.path, 'tidegate.yaml'), 'utf8')).toBe('mine\n');
    expect(existsSync(join(folder.path, 'tidegate.schema.json'))).toBe(false);
    expect(code).toBe(1);
  });
});

describe('the command line', () => {
  test.each([
    [['chek'], /unknown command 'chek'\n\(Did you mean check\?\)/],
    [['check', '--stric'], /unknown option '--stric'\n\(Did you mean --strict\?\)/],
    [['check', 'a.yaml', 'b.yaml'], /too many arguments/],
    [['explain'], /missing required argument/],
    [[], /Usage: tidegate/],
  ])('%j ends with 2 and says what is wrong', async (args, message) => {
    const { code, stderr } = await tidegate(...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  test.each(['run', 'check', 'routes', 'explain', 'schema', 'init'])(
    '%s --help shows an example',
    async (command) => {
      const { code, stdout } = await tidegate(command, '--help');
      expect(stdout).toContain(`Usage: tidegate ${command}`);
      expect(stdout).toContain(`$ tidegate ${command}`);
      expect(code).toBe(0);
    },
  );

  test.each([
    ['explain', 'GET', 'http://bob:hunter2@shop.example/'],
    ['explain', 'GET', 'ftp://bob:hunter2@shop.example/'],
    ['purge', '--all', '--admin', 'ftp://bob:hunter2@shop.example'],
  ])('%s %s %s: what is wrong with the URL is told without its password', async (...args) => {
    folder.write('tidegate.yaml', CONFIG);
    const { code, stderr } = await tidegate(...args);
    expect(stderr).toContain('***@');
    expect(stderr).not.toContain('hunter2');
    expect(code).not.toBe(0);
  });

  test('tells its version', async () => {
    const { code, stdout } = await tidegate('--version');
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(code).toBe(0);
  });

  test.skipIf(!existsSync('/dev/full'))('tells a full disk from a success, without a stack', async () => {
    folder.write('good.yaml', CONFIG);
    folder.write('bad.yaml', BROKEN);
    const onFullDisk = (full: 'stdout' | 'both', ...args: string[]) =>
      tidegateOnFullDisk(folder.path, args, full);
    const { code, stderr } = await onFullDisk('stdout', 'routes', 'good.yaml');
    expect(stderr).toBe("error: standard output can't be written: ENOSPC: no space left on device, write\n");
    expect(code).toBe(1);
    expect((await onFullDisk('stdout', 'chek')).code, 'a command that prints nothing there').toBe(2);
    expect((await onFullDisk('both', 'schema')).code).toBe(1);
    expect((await onFullDisk('both', 'check', 'bad.yaml')).code).toBe(1);
    expect((await onFullDisk('both', 'run', 'bad.yaml')).code).toBe(1);
  });
});
