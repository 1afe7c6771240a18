/** The config over the admin API, of a gateway as it is run. */
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import {
  freePort,
  type LabProcess,
  type ProcessLab,
  processLab,
  type TempFolder,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';

const BIN = new URL('../../bin/tidegate', import.meta.url).pathname;

let folder: TempFolder;
let lab: ProcessLab;
let gateway: LabProcess;
let file: string;
let port: number;
let admin: number;

beforeEach(async () => {
  folder = tempFolder();
  lab = processLab();
  [port, admin] = [await freePort(), await freePort()];
});
afterEach(async () => {
  await lab.close();
  folder.close();
});

const config = (text: string, more: object = {}): object => ({
  listen: `127.0.0.1:${port}`,
  admin: `127.0.0.1:${admin}`,
  routes: { hello: { match: '/hello', respond: { body: text } } },
  ...more,
});
async function start(value: object, env: Record<string, string> = {}): Promise<void> {
  file = folder.write('tidegate.yaml', stringify(value));
  gateway = lab.start(BIN, ['run', file], { env });
  await gateway.line(/serving/, 15_000);
}

type Json = Record<string, never> & { [key: string]: unknown };
interface Answer {
  status: number;
  etag: string | null;
  body: Json;
}
async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${admin}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return {
    status: response.status,
    etag: response.headers.get('etag'),
    body: (await response.json()) as Json,
  };
}
const read = () => call('GET', '/v1/config');
const put = async (body: unknown, etag?: string) =>
  call('PUT', '/v1/config', body, { 'if-match': etag ?? (await read()).etag! });
const hello = async () => (await fetch(`http://127.0.0.1:${port}/hello`)).text();
const source = async () =>
  ((await call('GET', '/v1/status')).body.config as unknown as { source: string }).source;
const copy = <T>(value: T): T => structuredClone(value);

describe('the config over the admin API', () => {
  it('is read as JSON with its ETag, and replaced by whoever has read it', async () => {
    await start(config('one'));
    const first = await read();
    expect(first.status).toBe(200);
    expect(first.body).toEqual(config('one'));
    expect(await source()).toBe(file);
    const replaced = await put(
      config('two', {
        routes: { ...(config('two') as { routes: object }).routes, more: { match: '/more', respond: {} } },
      }),
      first.etag!,
    );
    expect(replaced.status).toBe(200);
    expect(replaced.body.routes).toEqual({ added: ['more'], removed: [], changed: ['hello'] });
    expect(await hello()).toBe('two');
    expect((await read()).etag).toBe(replaced.etag);
    expect(replaced.etag).not.toBe(first.etag);
    expect(await source()).toBe('api');
    await gateway.line(/"message":"audit".*"result":"replaced".*"by":"loopback".*"peer":"127\.0\.0\.1"/);
  });

  it('of a MiB and more, as one of 10,000 routes has it, can be sent back as it was read', {
    timeout: 60_000,
  }, async () => {
    const text = 'x'.repeat(1000);
    const routes = Object.fromEntries(
      Array.from({ length: 1100 }, (_, i) => [
        `route${i}`,
        { match: `/thing${i}`, respond: { body: text + i } },
      ]),
    );
    await start(config('one'));
    expect((await put(config('one', { routes }))).status).toBe(200);
    const { body, etag } = await read();
    expect(JSON.stringify(body).length).toBeGreaterThan(1024 * 1024);
    const changed = JSON.stringify(body).replace(`${text}1099`, 'changed');
    expect((await put(changed, etag!)).body.routes).toEqual({
      added: [],
      removed: [],
      changed: ['route1099'],
    });
  });

  it('is not sent again to whoever has it (RFC 9110 §13.1.2)', async () => {
    await start(config('one'));
    const etag = (await read()).etag!;
    const asked = async (known: string) => {
      const answer = await fetch(`http://127.0.0.1:${admin}/v1/config`, {
        headers: { 'if-none-match': known },
      });
      return [answer.status, answer.headers.get('etag'), (await answer.text()) === ''];
    };
    for (const known of [etag, `W/${etag}`, `"a", ${etag}`, '*'])
      expect(await asked(known)).toEqual([304, etag, true]);
    for (const other of ['"a"', etag.replaceAll('"', '')])
      expect(await asked(other)).toEqual([200, etag, false]);
  });

  it('is not replaced without If-Match, nor where another is in force by now', async () => {
    await start(config('one'));
    const { etag } = await read();
    expect((await call('PUT', '/v1/config', config('x'))).status).toBe(428);
    await put(config('two'));
    expect((await put(config('three'), etag!)).status).toBe(412);
    expect((await put(config('three'), 'W/"x"')).status).toBe(412);
    for (const unreadable of [(await read()).etag!.replaceAll('"', ''), '"a", "b"', ''])
      expect((await put(config('three'), unreadable)).status).toBe(400);
    expect(await hello()).toBe('two');
    expect((await put(config('three'), '*')).status).toBe(200);
  });

  it('with errors changes nothing, and tells each with its place', async () => {
    await start(config('one'));
    const refused = await put(JSON.stringify({ routes: { a: { macth: '/a', respond: {} } } }, null, 2));
    expect(refused.status).toBe(422);
    expect(refused.body.issues).toContainEqual(
      expect.objectContaining({
        code: 'TG_CONFIG_UNKNOWN_KEY',
        severity: 'error',
        line: 4,
        column: 7,
        suggestion: 'did you mean "match"?',
      }),
    );
    expect((await put('{"routes": ')).status).toBe(422);
    expect(await hello()).toBe('one');
  });

  it('with an address that is taken changes nothing, and says so', async () => {
    await start(config('one'));
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port: busy } = taken.address() as AddressInfo;
    const refused = await put({ ...config('two'), listen: `127.0.0.1:${busy}` });
    taken.close();
    expect(refused.status).toBe(409);
    expect(refused.body.detail).toMatch(
      new RegExp(
        `^The config could not be put in force: cannot listen on 127.0.0.1:${busy}: the port is taken`,
      ),
    );
    expect(refused.body.detail).not.toMatch(/\n|\.\.$/);
    expect(await hello()).toBe('one');
  });

  it('is validated without being put in force', async () => {
    await start(config('one'));
    const good = await call('POST', '/v1/config/validate', config('two'));
    expect(good.body).toEqual({
      valid: true,
      issues: [],
      routes: { added: [], removed: [], changed: ['hello'] },
    });
    const bad = await call('POST', '/v1/config/validate', { routes: 1 });
    expect([bad.status, bad.body.valid, bad.body.routes]).toEqual([200, false, null]);
    expect(await hello()).toBe('one');
  });

  it('holds until its file changes, also when it is read anew by SIGHUP', async () => {
    await start(config('one'));
    await put(config('two'));
    process.kill(gateway.pid, 'SIGHUP');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await hello()).toBe('two');
    writeFileSync(file, stringify(config('three')));
    await until(async () => (await hello()) === 'three', 'the config of the file');
    expect(await source()).toBe(file);
  });

  it('that was in force before comes back', async () => {
    await start(config('one'));
    await put(config('two'));
    await put(config('three'));
    const { body } = await call('GET', '/v1/config/history');
    expect(body.configs).toHaveLength(2);
    expect((await call('POST', '/v1/config/rollback', {})).status).toBe(200);
    expect(await hello()).toBe('two');
    const first = (body.configs as unknown as { etag: string }[])[1]!.etag;
    expect((await call('POST', '/v1/config/rollback', { etag: first })).status).toBe(200);
    expect(await hello()).toBe('one');
    expect((await call('POST', '/v1/config/rollback', { etag: 'none' })).status).toBe(404);
    expect((await call('POST', '/v1/config/rollback', { etag: 1 })).status).toBe(400);
  });

  it('of a program can be seen, and not replaced', async () => {
    file = folder.write('tidegate.config.mjs', `export default ${JSON.stringify(config('one'))};`);
    gateway = lab.start(BIN, ['run', file]);
    await gateway.line(/serving/, 15_000);
    const { body, etag } = await read();
    expect(body).toEqual(config('one'));
    expect((await put(config('two'), etag!)).status).toBe(409);
    expect((await call('POST', '/v1/config/validate', config('two'))).status).toBe(409);
    expect((await call('POST', '/v1/config/rollback', {})).status).toBe(409);
  });
});

describe('secrets over the admin API', () => {
  const SECRET = {
    services: { shop: { url: 'http://127.0.0.1:4001' } },
    cache: { redis: 'redis://user:hunter2@127.0.0.1:1' },
    auth: {
      main: {
        introspection: { endpoint: 'http://127.0.0.1:4010/i', clientId: 'a', clientSecret: 'hunter2' },
      },
      other: {
        introspection: {
          endpoint: 'http://127.0.0.1:4010/i',
          clientId: 'b',
          clientSecret: '${env.OTHER_SECRET}',
        },
      },
    },
    'x-where': '${env.HOSTNAME_OF:here}',
  };
  type Shape = {
    cache: { redis: string };
    auth: Record<string, { introspection: { endpoint: string; clientId: string; clientSecret: string } }>;
    routes: Record<string, object>;
  };
  const shown = async () => copy((await read()).body as unknown as Shape);
  beforeEach(async () => {
    await start(
      config('one', {
        ...SECRET,
        routes: {
          hello: {
            match: '/hello',
            respond: { body: 'one' },
            auth: { with: ['main', 'other'], optional: true },
          },
          shop: { match: '/*', to: 'shop' },
        },
      }),
      { OTHER_SECRET: 'hunter2' },
    );
  });

  it('are masked, and references are shown', async () => {
    const value = await shown();
    expect(JSON.stringify(value)).not.toContain('hunter2');
    expect(value.auth.main!.introspection.clientSecret).toBe('***');
    expect(value.auth.other!.introspection.clientSecret).toBe('${env.OTHER_SECRET}');
    expect(value.cache.redis).toBe('redis://***@127.0.0.1:1');
  });

  it('stay when what was read is sent back with another change', async () => {
    const value = await shown();
    value.routes.more = { match: '/more', respond: {} };
    expect((await put(value)).status).toBe(200);
    expect(await shown()).toEqual(value);
  });

  it.each<[string, (value: Shape) => void]>([
    [
      'sent to another address',
      (value) => {
        value.auth.main!.introspection.endpoint = 'https://evil.test/i';
      },
    ],
    [
      'moved to another provider',
      (value) => {
        value.auth.evil = {
          introspection: { endpoint: 'http://127.0.0.1:4010/i', clientId: 'a', clientSecret: '***' },
        };
      },
    ],
    [
      'kept in a URL of another host',
      (value) => {
        value.cache.redis = 'redis://***@evil.test:1';
      },
    ],
    [
      'referred to beside another address',
      (value) => {
        value.auth.other!.introspection.endpoint = 'https://evil.test/i';
      },
    ],
    [
      'referred to where all may read it',
      (value) => {
        value.routes.leak = { match: '/leak', respond: { body: '${env.OTHER_SECRET}' } };
      },
    ],
    [
      'named by a variable that the file does not name',
      (value) => {
        value.routes.leak = { match: '/leak', respond: { body: '${env.PATH}' } };
      },
    ],
    [
      'read from a file',
      (value) => {
        value.routes.leak = { match: '/leak', respond: { body: '${file:/etc/passwd}' } };
      },
    ],
    [
      'served from a file',
      (value) => {
        value.routes.leak = { match: '/leak', respond: { file: '/etc/passwd' } };
      },
    ],
    [
      'written over by a log',
      (value) => {
        (value as { log?: object }).log = { file: 'tidegate.yaml' };
      },
    ],
    [
      'kept beside certificates in a folder of their own choice',
      (value) => {
        const acme = { email: 'a@example.com', hosts: 'shop.test', storage: '/tmp' };
        (value as { listen?: object }).listen = { address: '127.0.0.1:0', tls: { acme } };
      },
    ],
  ])('attack: %s', async (_, change) => {
    const value = await shown();
    change(value);
    const refused = await put(value);
    expect(refused.status).toBe(422);
    expect(JSON.stringify(refused.body)).not.toContain('hunter2');
    expect(JSON.stringify(refused.body)).not.toContain('root:');
    expect(await shown()).not.toEqual(value);
  });

  it('may be written anew, beside another address too', async () => {
    const value = await shown();
    value.auth.main!.introspection.endpoint = 'https://other.test/i';
    value.auth.main!.introspection.clientSecret = 'another';
    expect((await put(value)).status).toBe(200);
    expect((await shown()).auth.main!.introspection.clientSecret).toBe('***');
  });

  it('that were refused are all that is told of, beside what is wrong in itself', async () => {
    const named = {
      services: {
        shop: {
          url: 'http://127.0.0.1:4001',
          request: { headers: { set: { 'x-api-key': '${env.OTHER_SECRET:none}' } } },
        },
      },
      auth: { keys: { apiKey: { keys: [{ key: '${env.OTHER_SECRET:none}', subject: 'robot' }] } } },
    };
    writeFileSync(file, stringify(config('named', named)));
    await until(async () => (await hello()) === 'named', 'the config of the file');
    const value = copy((await read()).body as unknown as typeof named & { routes: object });
    value.services.shop.url = 'http://127.0.0.1:4002';
    value.routes = { ...value.routes, bad: { match: '/bad' } };
    const { status, body } = await put(value);
    const issues = body.issues as unknown as { code: string; path: string }[];
    expect([status, ...issues.map(({ code, path }) => `${code} ${path}`)]).toEqual([
      422,
      'TG_CONFIG_MISSING routes.bad',
      'TG_CONFIG_MASK services.shop.request.headers.set.x-api-key',
    ]);
  });
});
