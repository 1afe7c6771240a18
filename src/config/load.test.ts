import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TempFolder, tempFolder } from '../testkit/index.ts';
import { loadConfig, loadObject, loadText } from './load.ts';
import { renderIssues } from './report/index.ts';

const load = (text: string, env: Record<string, string> = {}) =>
  loadText(text, { file: 'tidegate.yaml', folder: '.', env });

/** The config, or a failed test that shows why there is none. */
function config(text: string, env: Record<string, string> = {}) {
  const loaded = load(text, env);
  if (loaded.config === null) throw new Error(renderIssues(loaded.issues, loaded.source, { colour: false }));
  return loaded.config;
}

const SERVICES = 'services: { a: { url: http://127.0.0.1:4001 } }\n';

describe('a config in order', () => {
  test('has every default written out', () => {
    const { listen, admin, workers, drain } = config('routes: {}');
    expect(listen).toHaveLength(1);
    expect(listen[0]).toMatchObject({ name: 'main', host: '127.0.0.1', port: 8080, tls: null });
    expect(listen[0]!.limits).toEqual({
      uri: 8_192,
      head: 32_768,
      headers: 100,
      body: Number.POSITIVE_INFINITY,
      headTimeout: 10_000,
      bodyTimeout: 30_000,
      sendTimeout: 30_000,
      minRate: 0,
      idleTimeout: 75_000,
      connectionsPerClient: Number.POSITIVE_INFINITY,
    });
    expect(admin).toEqual({
      host: '127.0.0.1',
      port: 9901,
      token: null,
      hosts: [],
      tls: null,
      readyPath: null,
    });
    expect(workers).toBe(1);
    expect(drain).toEqual({ delay: 0, timeout: 30_000 });
  });

  test('may switch the admin listener off', () => {
    expect(config('admin: false\nroutes: {}').admin).toBeNull();
  });

  test('has listeners in every form', () => {
    const text = `listen:
  - 127.0.0.1:8080
  - { name: six, address: '[::1]:8081', trustedProxies: 10.0.0.0/8 }
  - localhost:0
routes: {}`;
    expect(
      config(text).listen.map(({ name, host, port, trustedProxies }) => [name, host, port, trustedProxies]),
    ).toEqual([
      ['main', '127.0.0.1', 8080, []],
      ['six', '::1', 8081, ['10.0.0.0/8']],
      ['main3', 'localhost', 0, []],
    ]);
  });

  test('has targets with their parts and weights', () => {
    const text = `services:
  a: { url: 'https://shop.example/base/' }
  b: { targets: [ 'http://[::1]:4001', { url: 'http://b.example', weight: 0 } ] }
routes: { r: { match: /, to: [a, b] } }`;
    const { a, b } = config(text).services;
    expect(a!.targets).toEqual([
      { scheme: 'https', host: 'shop.example', port: 443, path: '/base', weight: 1 },
    ]);
    expect(b!.targets).toEqual([
      { scheme: 'http', host: '::1', port: 4001, path: '', weight: 1 },
      { scheme: 'http', host: 'b.example', port: 80, path: '', weight: 0 },
    ]);
  });

  test('has a target that is listed twice once, with the weight of both', () => {
    const twice = '[http://shop.test, { url: http://SHOP.test:80, weight: 3 }, http://shop.test/v2]';
    const { services } = config(
      `services: { a: { targets: ${twice} } }\nroutes: { r: { match: /*, to: a } }`,
    );
    expect(services.a!.targets.map(({ host, path, weight }) => `${host}${path} ${weight}`)).toEqual([
      'shop.test 4',
      'shop.test/v2 1',
    ]);
  });

  test('says only those time limits that were said', () => {
    const text = `services: { a: { url: http://127.0.0.1:4001, timeout: { connect: 1s, total: none } } }
routes: { r: { match: /, to: a, timeout: 2s } }`;
    const { services, routes } = config(text);
    expect(services.a!.timeout).toEqual({ connect: 1_000, total: Number.POSITIVE_INFINITY });
    expect(routes.r!.timeout).toEqual({ response: 2_000 });
  });

  test('has each form of "to" as a list of destinations', () => {
    const text = `${SERVICES}routes:
  plain: { match: /a, to: a }
  long: { match: '/b/{x}', to: { service: a, path: '/{params.x}', method: POST } }
  split: { match: /c, to: [ a, { service: a, weight: 9 } ] }`;
    const { routes } = config(text);
    const to = (name: string) => {
      const action = routes[name]!.action;
      return action.kind === 'proxy' ? action.to : null;
    };
    expect(to('plain')).toEqual([{ service: 'a', path: null, method: null, weight: 1 }]);
    expect(to('long')).toEqual([{ service: 'a', path: '/{params.x}', method: 'POST', weight: 1 }]);
    expect(to('split')!.map(({ weight }) => weight)).toEqual([1, 9]);
  });

  test('may use anchors and merge keys, own keys before merged ones', () => {
    const text = `x-common: &common { timeout: 1s, maxBody: 1MiB }
${SERVICES}routes:
  r: { <<: *common, match: /, to: a, timeout: 5s }`;
    expect(config(text).routes.r).toMatchObject({ timeout: { response: 5_000 }, maxBody: 1_048_576 });
  });

  test('may repeat an anchor a thousand times', () => {
    const routes = Array.from({ length: 1_000 }, (_, i) => `  r${i}: { <<: *common, match: /r${i} }`);
    const text = `x-common: &common { to: a, timeout: 1s }\n${SERVICES}routes:\n${routes.join('\n')}`;
    expect(Object.keys(config(text).routes)).toHaveLength(1_000);
  });

  test('keeps routes in the order of the file, whatever their names', () => {
    const text = `${SERVICES}routes:
  constructor: { match: /b, to: a }
  toString: { match: /a, to: a }
  z: { match: /c, to: a }`;
    expect(Object.keys(config(text).routes)).toEqual(['constructor', 'toString', 'z']);
  });

  test('is the same in JSON', () => {
    const json = JSON.stringify({
      $schema: './tidegate.schema.json',
      services: { a: { url: 'http://127.0.0.1:4001' } },
      routes: { r: { match: '/', to: 'a' } },
    });
    const loaded = loadText(json, { file: 'tidegate.json', folder: '.', env: {} });
    expect(loaded.config).toEqual(config(`${SERVICES}routes: { r: { match: /, to: a } }`));
  });

  test('YAML words that were booleans once are text', () => {
    const text = `${SERVICES}routes: { r: { match: { path: /, headers: { x-a: on, x-b: yes, x-c: true } }, to: a } }`;
    expect(config(text).routes.r!.match.headers).toEqual({ 'x-a': 'on', 'x-b': 'yes', 'x-c': true });
  });
});

describe('defaults', () => {
  const routes = (own: string) =>
    config(`${SERVICES}defaults:
  timeout: 9s
  maxBody: 1MiB
  response: { headers: { set: { x-frame-options: DENY, x-a: '1' }, remove: [server] } }
routes: { r: { match: /, to: a, ${own} } }`).routes.r!;

  test('hold where a route says nothing', () => {
    const route = routes('');
    expect(route.timeout).toEqual({ response: 9_000 });
    expect(route.maxBody).toBe(1_048_576);
    expect(route.response.headers).toMatchObject({
      set: { 'x-frame-options': 'DENY', 'x-a': '1' },
      remove: ['server'],
    });
  });

  test("are replaced whole by a route's own key", () => {
    expect(routes('timeout: { connect: 1s }').timeout).toEqual({ connect: 1_000 });
  });

  test('are merged with header transforms name by name, without case', () => {
    const { headers } = routes('response: { headers: { set: { X-A: "2", x-b: "3" } } }').response;
    expect(headers.set).toEqual({ 'x-frame-options': 'DENY', 'X-A': '2', 'x-b': '3' });
    expect(headers.remove).toEqual(['server']);
  });

  test("give way to a route's own word on a header, in whichever list it stands", () => {
    const { headers } = routes('response: { headers: { set: { server: mine }, remove: [x-a] } }').response;
    expect(headers.set).toEqual({ 'x-frame-options': 'DENY', server: 'mine' });
    expect(headers.remove).toEqual(['x-a']);
  });

  test('are taken away by none', () => {
    expect(routes('maxBody: none').maxBody).toBe(Number.POSITIVE_INFINITY);
    expect(routes('response: none').response.headers).toMatchObject({ set: {}, remove: [] });
    expect(routes('response: { headers: { set: none } }').response.headers).toMatchObject({
      set: {},
      remove: ['server'],
    });
    const one = routes('response: { headers: { set: { x-a: none } } }').response.headers.set;
    expect(one).toEqual({ 'x-frame-options': 'DENY' });
  });

  test('take priority and sticky too: one for weighted lists, and each is taken away by none', () => {
    const { ways, one, other } =
      config(`services: { a: { url: http://127.0.0.1:1 }, b: { url: http://127.0.0.1:2 } }
overload: { maxDelay: 100ms }
defaults: { priority: 2, sticky: { cookie: side, maxAge: 1h } }
routes:
  ways: { match: /a, to: [a, b] }
  one: { match: /b, to: a }
  other: { match: /c, to: [a, b], priority: none, sticky: none }`).routes;
    expect(ways).toMatchObject({ priority: 2, action: { sticky: { cookie: 'side', maxAge: 3600 } } });
    expect(one).toMatchObject({ priority: 2, action: { sticky: null } });
    expect(other).toMatchObject({ priority: 0, action: { sticky: null } });
  });

  test('leave none as a value where they say nothing of the header', () => {
    const { set } = routes('response: { headers: { set: { x-robots-tag: none } } }').response.headers;
    expect(set['x-robots-tag']).toBe('none');
  });

  test('hold for answers that no route gave', () => {
    const text = 'defaults: { response: { headers: { set: { x-a: "1" } } } }\nroutes: {}';
    expect(config(text).unmatched.response.headers.set).toEqual({ 'x-a': '1' });
  });
});

describe('what is filled in', () => {
  test('comes from the environment, from a default, or is an error', () => {
    const text =
      "services: { a: { url: 'http://${env.HOST:127.0.0.1}:${env.PORT}' } }\nroutes: { r: { match: /, to: a } }";
    const { targets } = config(text, { PORT: '4001' }).services.a!;
    expect(targets[0]).toMatchObject({ host: '127.0.0.1', port: 4001 });
    expect(load(text).issues[0]).toMatchObject({ code: 'TG_CONFIG_FILL', path: ['services', 'a', 'url'] });
  });

  test('may stand for numbers and booleans', () => {
    const text = `workers: \${env.WORKERS}
services: { a: { url: https://127.0.0.1, tls: { verify: '\${env.VERIFY:false}' }, pool: { connections: '\${env.POOL:7}' } } }
routes: { r: { match: /, to: a } }`;
    const { workers, services } = config(text, { WORKERS: '3' });
    expect(workers).toBe(3);
    expect(services.a!.tls.verify).toBe(false);
    expect(services.a!.pool.connections).toBe(7);
  });

  test('may be empty', () => {
    const text = "routes: { r: { match: /, respond: { body: '[${env.EMPTY:}]' } } }";
    expect(config(text).routes.r!.action).toMatchObject({
      respond: { content: { kind: 'body', text: '[]' } },
    });
  });

  test('is left alone where it looks like a template', () => {
    const text = "routes: { r: { match: '/{price}', respond: { template: '${params.price}' } } }";
    expect(config(text).routes.r!.action).toMatchObject({
      respond: { content: { template: '${params.price}' } },
    });
  });

  test('is nothing in a config that came by the network', () => {
    const text = "routes: { r: { match: /, respond: { body: '${env.HOME}' } } }";
    const loaded = loadText(text, { file: 'config.yaml', folder: '.', env: null });
    expect(loaded.config!.routes.r!.action).toMatchObject({ respond: { content: { text: '${env.HOME}' } } });
  });

  test('is not looked for below keys that begin with x-', () => {
    expect(load("x-later: '${env.NOT_SET}'\nroutes: {}").config).not.toBeNull();
  });
});

describe('the files of a config', () => {
  let folder: TempFolder;
  beforeEach(() => {
    folder = tempFolder();
  });
  afterEach(() => folder.close());

  test('are all named, through symbolic links too, so that they can be watched', async () => {
    mkdirSync(join(folder.path, 'real'));
    const real = folder.write(
      'real/gateway.yaml',
      "routes: { r: { match: /, respond: { file: page.html } }, s: { match: /s, respond: { body: '${file:secret}' } } }\n",
    );
    const link = join(folder.path, 'tidegate.yaml');
    symlinkSync(real, link);
    const page = folder.write('page.html', '<p>hello</p>');
    const secret = folder.write('secret', 'hush\n');
    const loaded = await loadConfig(link);
    expect(loaded.issues).toEqual([]);
    expect(loaded.files).toEqual(expect.arrayContaining([link, real, page, secret]));
    const { r, s } = loaded.config!.routes;
    expect(r!.action).toMatchObject({
      respond: { content: { bytes: Buffer.from('<p>hello</p>'), type: 'text/html; charset=utf-8' } },
    });
    expect(s!.action).toMatchObject({ respond: { content: { text: 'hush' } } });
  });

  test('are named even if they are missing, since their coming mends the config', async () => {
    const file = folder.write(
      'tidegate.yaml',
      'routes: { r: { match: /, respond: { file: missing.html } } }\n',
    );
    const loaded = await loadConfig(file);
    expect(loaded.config).toBeNull();
    expect(loaded.files).toContain(join(folder.path, 'missing.html'));
  });

  test('change the etag when they change', async () => {
    const file = folder.write('tidegate.yaml', 'routes: { r: { match: /, respond: { file: page.html } } }\n');
    folder.write('page.html', 'one');
    const { etag } = await loadConfig(file);
    expect((await loadConfig(file)).etag).toBe(etag);
    folder.write('page.html', 'two');
    expect((await loadConfig(file)).etag).not.toBe(etag);
  });

  test.each([
    ['a missing file', 'nothing.yaml', 'does not exist'],
    ['a folder', 'folder.yaml', 'is a folder'],
    ['bytes that are no text', 'bytes.yaml', 'is not UTF-8 text'],
  ])('%s is refused with its reason', async (_what, name, reason) => {
    mkdirSync(join(folder.path, 'folder.yaml'));
    folder.write('bytes.yaml', Buffer.from([0xff, 0xfe, 0x00]));
    const loaded = await loadConfig(join(folder.path, name));
    expect(loaded.config).toBeNull();
    expect(loaded.issues[0]!.message).toContain(reason);
  });

  test('a file that is no UTF-8 is shown the place of, and a character that a terminal would obey is not printed', async () => {
    const report = async (bytes: Buffer) => {
      const file = folder.write('gateway.yaml', bytes);
      const { config, issues, source } = await loadConfig(file);
      expect(config).toBeNull();
      return renderIssues(issues, source, { colour: false }).replaceAll(file, 'gateway.yaml');
    };
    const before = '# \ufffd stands here\nroutes: { a: { match: /a, respond: { body: "';
    expect(
      await report(Buffer.concat([Buffer.from(before), Buffer.of(0xe4), Buffer.from('" } } }\n')])),
    ).toContain('gateway.yaml:2:45: error: the config is not UTF-8 text [TG_CONFIG_FILE]\n   2 | routes:');
    const shown = await report(Buffer.from(`${before}\x1b[2J" } } }\n`));
    expect(shown).toContain('gateway.yaml:2:45: error: a control character can not stand in a config');
    expect(shown).not.toContain('\x1b');
  });
});

describe('a config in a program', () => {
  test('may have functions for expressions, and is told of by its keys', () => {
    const loaded = loadObject(
      {
        services: { a: { url: 'http://127.0.0.1:4001' } },
        routes: {
          good: { match: { path: '/a', when: () => true }, to: 'a' },
          bad: { match: '/b', to: 'b', timeout: () => 1 },
        },
      },
      '.',
    );
    const report = renderIssues(loaded.issues, loaded.source, { colour: false });
    expect(report).toContain('config: routes.bad.to: error: there is no service named "b"');
    expect(report).toContain('config: routes.bad.timeout: error: "timeout" must be');
    expect(report).not.toContain('routes.good');
  });

  test('is told of values that a config can not hold', () => {
    const json = { list: [1, new Map()], at: Number.NaN };
    const definition = { workers: 2n, routes: { a: { match: '/', respond: { json } } } };
    const told = loadObject(definition, '.').issues.map(
      ({ path, message }) => `${path.join('.')}: ${message}`,
    );
    expect(told).toEqual([
      expect.stringMatching(/^workers: "workers" must be .*, not a value of another kind$/),
      'routes.a.respond.json.list.1: JSON has no such value',
    ]);
  });

  test('may name a call as its path is named, and as the members that it makes', () => {
    const calls = {
      login: { to: 'a', path: '/login' },
      orders: {
        to: 'a',
        method: 'POST',
        path: ({ login }: { login: { body: { id: string } } }) => `/orders/${login.body.id}`,
        body: ({ login }: { login: { body: unknown } }) => ({ orders: login.body }),
      },
    };
    const services = { a: { url: 'http://127.0.0.1:4001' } };
    const loaded = loadObject({ services, routes: { all: { match: '/', aggregate: { calls } } } }, '.');
    expect(loaded.issues).toEqual([]);
  });

  test('with a cycle is refused', () => {
    const definition: Record<string, unknown> = { routes: {} };
    definition.services = definition;
    expect(loadObject(definition, '.').config).toBeNull();
  });

  test('whose keys are undefined is as if they were not there', () => {
    const loaded = loadObject(
      { listen: undefined, routes: { r: { match: '/', respond: { body: 'x' }, to: undefined } } },
      '.',
    );
    expect(loaded.issues).toEqual([]);
  });
});

const SAMPLE = `# a config that uses a bit of everything
x-common: &common { timeout: 2s }
listen: [ { name: plain, address: '127.0.0.1:8080', limits: { head: 32KiB } }, 127.0.0.1:8081 ]
admin: { address: 127.0.0.1:9901, token: '\${env.TOKEN:x}' }
services:
  a: { url: http://127.0.0.1:4001 }
  b: { targets: [ { url: http://127.0.0.1:4002, weight: 2 } ], host: service }
defaults: { response: { headers: { set: { x-a: DENY } } } }
routes:
  one: { match: { path: '/a/{id:int}', method: [GET], when: 'request.ip != ""' }, to: { service: a, path: '/x/{params.id}' }, <<: *common }
  two: { match: /b/*, to: [ a, { service: b, weight: 0 } ] }
  three: { match: { host: '*.example.com' }, redirect: { scheme: https } }
  four: { match: '~/f.*', respond: { status: 200, json: { a: [ '{request.id}' ] } } }
`;

describe('whatever stands in the file', () => {
  test.each([500, 5_000])('%i lists in each other are too many, in plain words', (depth) => {
    const { issues } = load(`routes: ${'['.repeat(depth)}${']'.repeat(depth)}`);
    expect(issues).toMatchObject([{ code: 'TG_CONFIG_SYNTAX', message: 'this is nested too deeply' }]);
  });

  test('is a config, or has reasons why not, each with its place', () => {
    expect(load(SAMPLE).issues.filter((issue) => issue.severity === 'error')).toEqual([]);
    const mutations = fc.array(
      fc.record({
        at: fc.nat(SAMPLE.length),
        cut: fc.nat(12),
        put: fc.oneof(
          fc.constantFrom(
            '{',
            '}',
            '[',
            ']',
            ':',
            '- ',
            '\t',
            '\n',
            '"',
            "'",
            '*',
            '&x ',
            '${env.A}',
            '${file:x}',
            'none',
            '0',
            '~',
            '~(',
            '/{',
            '|\n',
            '<<: ',
            '#',
            '!!js ',
            '__proto__',
          ),
          fc.string({ maxLength: 4 }),
        ),
      }),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(mutations, fc.boolean(), (changes, json) => {
        let text = SAMPLE;
        for (const { at, cut, put } of changes) text = text.slice(0, at) + put + text.slice(at + cut);
        const loaded = loadText(text, { file: json ? 'a.json' : 'a.yaml', folder: '/nowhere', env: {} });
        const errors = loaded.issues.filter((issue) => issue.severity === 'error');
        expect(loaded.config === null).toBe(errors.length > 0);
        expect(renderIssues(loaded.issues, loaded.source, { colour: true })).not.toContain('undefined:');
      }),
      { numRuns: 400 },
    );
  });

  test('any value in place of any part is a config or has reasons', () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const key = fc.constantFrom(
      'listen',
      'admin',
      'workers',
      'services',
      'policies',
      'defaults',
      'routes',
      'drain',
      'log',
    );
    const part = fc.dictionary(
      fc.constantFrom('a', 'match', 'to', 'url', 'path', 'headers', 'respond', 'tls'),
      value,
    );
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.oneof(value, fc.dictionary(fc.constantFrom('a', 'b'), part))),
        (definition) => {
          const loaded = loadObject(definition, '/nowhere', { env: {} });
          expect(loaded.config === null).toBe(loaded.issues.some((issue) => issue.severity === 'error'));
          renderIssues(loaded.issues, loaded.source, { colour: false });
        },
      ),
      { numRuns: 400 },
    );
  });
});
