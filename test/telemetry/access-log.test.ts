/** The access log, as a user gets it: real gateways, sockets and files. */
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { StartOptions } from '../../src/index.ts';
import {
  answer,
  rawClient,
  type Script,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TempFolder,
  type TestGateway,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';

let folder: TempFolder;
let service: ScriptedOrigin;
let gateway: TestGateway;
let file: string;

afterEach(async () => {
  await gateway.close();
  await service.close();
  folder.close();
});

async function start(
  log: object,
  {
    route = {},
    more = {},
    script,
    options = {},
  }: {
    route?: object;
    more?: object;
    script?: Script;
    options?: StartOptions;
  } = {},
): Promise<void> {
  folder = tempFolder();
  file = join(folder.path, 'access.log');
  service = await scriptedOrigin(script ?? answer(200, [['Content-Type', 'text/plain']], 'hello'));
  gateway = await startTestGateway(config(log, route, more), options);
}

const config = (log: object, route: object = {}, more: object = {}): object => ({
  services: { shop: { url: service.url } },
  routes: { all: { match: '/*', to: 'shop', ...route } },
  log: { file, ...log },
  ...more,
});

async function ask(head: string, ...headers: string[]): Promise<number> {
  const client = await rawClient({ port: gateway.port });
  await client.send(`${[`${head} HTTP/1.1`, 'Host: shop.test', ...headers].join('\r\n')}\r\n\r\n`);
  const { status } = await client.response(head.split(' ')[0]!);
  client.close();
  return status;
}

const text = () => readFileSync(file, 'utf8');
async function lines(count: number): Promise<string[]> {
  await until(() => text().split('\n').length > count, `${count} lines in the log`);
  return text().trimEnd().split('\n');
}
async function entries(count = 1): Promise<Record<string, unknown>[]> {
  return (await lines(count)).map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('a line of JSON', () => {
  it('says who asked for what, what became of it, and who answered', async () => {
    await start({ access: 'json' });
    await ask('GET /a?b=1', 'User-Agent: probe', 'Referer: http://x.test/', 'X-Request-Id: id-1');
    const [entry] = await entries();
    expect(entry).toMatchObject({
      id: 'id-1',
      ip: '127.0.0.1',
      method: 'GET',
      scheme: 'http',
      host: 'shop.test',
      path: '/a?b=1',
      protocol: 'HTTP/1.1',
      status: 200,
      bytes: 5,
      received: 0,
      route: 'all',
      service: 'shop',
      target: service.url,
      referer: 'http://x.test/',
      userAgent: 'probe',
    });
    expect(entry!.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(entry!.duration).toBeGreaterThan(0);
    expect(entry).not.toHaveProperty('code');
  });

  it('tells why the gateway answered itself, and names no route where none matched', async () => {
    await start({ access: 'json' }, { route: { match: '/only' } });
    await ask('GET /other');
    const [entry] = await entries();
    expect(entry).toMatchObject({ status: 404, code: 'TG_ROUTE_NOT_FOUND' });
    expect(entry).not.toHaveProperty('route');
    expect(entry).not.toHaveProperty('service');
  });

  it('tells what the cache made of it', async () => {
    await start({ access: 'json' }, { route: { cache: { ttl: '60s' } } });
    for (let i = 0; i < 2; i++) await ask('GET /a');
    expect((await entries(2)).map(({ cache, service: asked }) => [cache, asked])).toEqual([
      ['miss', 'shop'],
      ['hit', undefined],
    ]);
  });

  it('is written for what could not be read as a request', async () => {
    await start({ access: 'json' });
    const client = await rawClient({ port: gateway.port });
    await client.send('NONSENSE\r\n\r\n');
    await client.response('GET');
    const [entry] = await entries();
    expect(entry).toMatchObject({ status: 400 });
    expect(entry).not.toHaveProperty('path');
    expect(entry).not.toHaveProperty('method');
  });

  it('says what was asked for where its content was refused by its announced length alone', async () => {
    const listen = [{ name: 'main', address: '127.0.0.1:0', limits: { body: '10B' } }];
    await start({ access: 'json' }, { more: { listen } });
    const head = ['Content-Length: 11', 'X-Request-Id: id-1', 'User-Agent: probe'];
    expect([await ask('POST /', ...head), await ask('HEAD /a?b=1', ...head)]).toEqual([413, 413]);
    const told = { id: 'id-1', host: 'shop.test', status: 413, userAgent: 'probe', received: 0 };
    expect(await entries(2)).toEqual([
      expect.objectContaining({ ...told, method: 'POST', path: '/' }),
      expect.objectContaining({ ...told, method: 'HEAD', path: '/a?b=1', bytes: 0 }),
    ]);
  });

  it('says 499 where the client left before any answer', async () => {
    await start({ access: 'json' }, { script: () => {} });
    const client = await rawClient({ port: gateway.port });
    await client.send('GET /slow HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    await until(() => service.requests.length === 1, 'the request at the service');
    client.close();
    expect((await entries())[0]).toMatchObject({ status: 499, bytes: 0 });
  });
});

describe('attacks on the log', () => {
  it('line breaks, quotes and terminal commands in what a client sends make no other line', async () => {
    await start({ access: 'json', fields: { who: 'request.headers["x-who"]' } });
    await ask('GET /%0a%22', 'X-Who: a"b\\c\u009b31m', 'User-Agent: "}\t{');
    const all = await lines(1);
    expect(all).toHaveLength(1);
    expect(all[0]).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
    expect(JSON.parse(all[0]!)).toMatchObject({ userAgent: '"}\t{' });
  });

  it('lists and maps of what a client sends are escaped too', async () => {
    await start({ access: 'json', fields: { all: 'request.headers', one: '[request.headers["x-who"]]' } });
    await ask('GET /', 'X-Who: \u00c2\u0085\u00e2\u0080\u00a8x\u00c2\u009b31m');
    const [line] = await lines(1);
    expect(line).not.toMatch(/[\x7f-\x9f\u2028\u2029]/);
    expect(JSON.parse(line!)).toMatchObject({ one: ['\u0085\u2028x\u009b31m'] });
  });

  it('headers that are logged as a whole come without credentials', async () => {
    const from = [{ header: 'x-key' }];
    await start(
      {
        access: 'json',
        fields: {
          headers: 'request.headers',
          more: '{"of": [request, response]}',
          cookie: 'request.headers["cookie"]',
        },
      },
      {
        more: { auth: { keys: { apiKey: { from, keys: [{ hash: `sha256:${'0'.repeat(64)}` }] } } } },
        script: answer(200, [['Set-Cookie', 'session=hunter2']], ''),
      },
    );
    await ask('GET /', 'Authorization: Bearer hunter2', 'Cookie: a=1', 'X-Key: hunter2', 'X-Who: bob');
    const [line] = await lines(1);
    expect(line).not.toContain('hunter2');
    const { headers, cookie } = JSON.parse(line!) as { headers: object; cookie: string };
    expect(headers).toMatchObject({ 'x-who': 'bob' });
    expect(Object.keys(headers)).not.toContain('cookie');
    expect(cookie).toBe('a=1');
  });

  it('a field is cut at 1 KiB, visibly', async () => {
    await start({ access: 'json' });
    await ask('GET /', `User-Agent: ${'x'.repeat(5000)}`);
    const agent = (await entries())[0]!.userAgent as string;
    expect(agent).toHaveLength(1022);
    expect(agent.endsWith('…')).toBe(true);
  });

  it.each(['access_token', 'api_key', 'X-Amz-Signature', 'password', 'a%70ikey', 'tok'])(
    'the query parameter %s is masked',
    async (name) => {
      const from = [{ query: 'tok' }];
      await start(
        { access: 'json' },
        { more: { auth: { keys: { apiKey: { from, keys: [{ hash: `sha256:${'0'.repeat(64)}` }] } } } } },
      );
      await ask(`GET /a?x=1&${name}=hunter2&key=&y=2`);
      const [line] = await lines(1);
      expect(line).not.toContain('hunter2');
      expect((JSON.parse(line!) as { path: string }).path).toBe(`/a?x=1&${name}=***&key=&y=2`);
    },
  );

  it.each(['json', 'combined'])('a Referer shows no credentials either, %s', async (access) => {
    await start({ access });
    await ask(
      'GET /',
      'Referer: https://bob:hunter2@shop.test/cb?id_token=hunter2&code=1#access_token=hunter2',
    );
    expect((await lines(1))[0]).toContain('"https://***@shop.test/cb?id_token=***&code=1#***"');
  });

  it('Authorization, Cookie and Set-Cookie are in no line', async () => {
    const script = answer(200, [['Set-Cookie', 'session=hunter2']], '');
    await start({ access: 'json' }, { script });
    await ask('GET /', 'Authorization: Bearer hunter2', 'Cookie: a=hunter2');
    expect((await lines(1))[0]).not.toContain('hunter2');
  });
});

describe('fields, when and sample', () => {
  it('members are added by CEL, and usual ones replaced', async () => {
    await start({
      fields: {
        tenant: 'request.headers["x-tenant"]',
        path: 'request.path',
        list: '[1, 2]',
        size: 'response.bytes',
        slow: 'response.duration > 60000.0',
        at: 'response.target',
        none: 'request.headers["x-none"]',
        type: 'response.headers["content-type"]',
      },
    });
    await ask('GET /a?b=1', 'X-Tenant: acme');
    const [entry] = await entries();
    expect(entry).toMatchObject({
      tenant: 'acme',
      path: '/a',
      list: [1, 2],
      size: 5,
      slow: false,
      at: service.url,
      type: 'text/plain',
    });
    expect(entry).not.toHaveProperty('none');
  });

  it('detail says what the gateway knows of a failure', async () => {
    await start(
      { fields: { why: 'response.detail' } },
      { more: { services: { shop: { url: 'http://127.0.0.1:9' } } } },
    );
    expect(await ask('GET /')).toBe(502);
    expect((await entries())[0]!.why).toContain('ECONNREFUSED');
  });

  it('only what `when` holds for is logged; where it fails, nothing', async () => {
    await start({ when: 'request.headers["x-log"] == "yes"' });
    await ask('GET /none');
    await ask('GET /no', 'X-Log: no');
    await ask('GET /yes', 'X-Log: yes');
    expect((await entries()).map(({ path }) => path)).toEqual(['/yes']);
  });

  it('a share is logged', async () => {
    let chance = 0;
    const random = {
      number: () => (chance = (chance + 0.25) % 1),
      hex: (bytes: number) => 'a'.repeat(bytes * 2),
    };
    await start({ sample: '50%' }, { options: { random } });
    for (let i = 0; i < 8; i++) await ask(`GET /${i}`);
    await entries(3);
    expect(text().trimEnd().split('\n').length).toBeLessThan(8);
  });
});

describe('the combined format', () => {
  it('is written as nginx does', async () => {
    await start({ access: 'combined' });
    await ask('GET /a%20b?q="x"', 'Referer: http://x.test/?"', 'User-Agent: \\probe\u00e9');
    expect((await lines(1))[0]).toMatch(
      /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET \/a%20b\?q=\\x22x\\x22 HTTP\/1\.1" 200 5 "http:\/\/x\.test\/\?\\x22" "\\x5Cprobe\\xE9"$/,
    );
  });

  it('has a dash for what is not there', async () => {
    await start({ access: 'combined' });
    const client = await rawClient({ port: gateway.port });
    await client.send('NONSENSE\r\n\r\n');
    await client.response('GET');
    expect((await lines(1))[0]).toMatch(/\] "-" 400 \d+ "-" "-"$/);
  });
});

describe('the file', () => {
  it('is opened anew by a reload once it was moved away', async () => {
    await start({});
    await ask('GET /1');
    await lines(1);
    renameSync(file, `${file}.1`);
    await ask('GET /2');
    await until(() => readFileSync(`${file}.1`, 'utf8').split('\n').length === 3, 'the line in the old file');
    await gateway.reload(config({}));
    await ask('GET /3');
    expect((await entries()).map(({ path }) => path)).toEqual(['/3']);
  });

  it('that cannot be opened keeps the old config in force', async () => {
    await start({});
    await expect(gateway.reload(config({ file: join(folder.path, 'none', 'a.log') }))).rejects.toThrow(
      /its folder is not there/,
    );
    await ask('GET /1');
    await lines(1);
  });

  it('on a full disk holds up no request, and what is lost is told once', async () => {
    const said: string[] = [];
    const log = {
      info() {},
      error() {},
      warn: (message: string) => void said.push(message),
      with: () => log,
    };
    await start({ file: '/dev/full' }, { options: { log: log as never } });
    for (let i = 0; i < 20; i++) expect(await ask('GET /')).toBe(200);
    await until(() => said.length > 0, 'a word about it');
    expect(said).toEqual(['lines of the access log were dropped']);
  });
});
