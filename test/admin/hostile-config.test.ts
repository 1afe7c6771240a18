/** Configs over the admin API that no sane client sends, and clients that send them at once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../src/testkit/index.ts';
import { type AdminNode, type Answer, adminNode, ask } from './node.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

let node: AdminNode;
beforeAll(async () => {
  node = await adminNode();
}, 30_000);
afterAll(() => node[Symbol.asyncDispose]());

const etagNow = async () => (await node.api('/v1/config')).headers.etag!;
const put = async (body: string | Buffer, etag?: string) =>
  node.api('/v1/config', {
    method: 'PUT',
    headers: { ...JSON_TYPE, 'if-match': etag ?? (await etagNow()) },
    body,
  });
const validate = (body: string | Buffer) =>
  node.api('/v1/config/validate', { method: 'POST', headers: JSON_TYPE, body });
const hello = async () => (await ask(node.port, '/hello')).text;
const saying = (text: string) =>
  JSON.stringify(node.whole({ routes: { hello: { match: '/hello', respond: { body: text } } } }));
/** A whole config around one value. */
const withRoute = (route: string) =>
  JSON.stringify(node.whole({ routes: { hello: {} } })).replace('{}', route);

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('a config that is put over the network', () => {
  const hostile: Record<string, () => string | Buffer> = {
    'of nothing': () => '',
    'of null': () => 'null',
    'of a number': () => '1e999',
    'of a list': () => '[]',
    'of lists in lists': () => nested(100_000),
    'of objects in objects': () => `${'{"routes":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
    'with a value that is nested deep': () =>
      withRoute(`{"match":"/hello","respond":{"json":${nested(20_000)}}}`),
    'with a member that stands twice': () => withRoute('{"match":"/hello","match":"/b","respond":{}}'),
    'with __proto__': () => withRoute('{"__proto__":{"match":"/hello","respond":{}}}'),
    'with constructor': () => withRoute('{"constructor":{"prototype":{}},"match":"/hello","respond":{}}'),
    'with a name of 100 kB': () => withRoute(`{"${'k'.repeat(100_000)}":1,"match":"/hello","respond":{}}`),
    'with a pattern that would take for ever': () =>
      withRoute('{"match":"~/(a+)+(a+)+(a+)+$(?=b)","respond":{}}'),
    'with an expression that is nested deep': () =>
      withRoute(
        `{"match":{"path":"/hello","when":"${'('.repeat(50_000)}true${')'.repeat(50_000)}"},"respond":{}}`,
      ),
    'with bytes that are no UTF-8': () => Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
    'with a text that is no UTF-8': () => Buffer.from(saying('\u00ff'), 'latin1'),
    'cut short': () => saying('cut').slice(0, -1),
    'with something behind it': () => `${saying('more')} {}`,
    'with an alias bomb': () =>
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[i]}`).join(',')}]`)
        .join('\n')}`,
    'that names a file': () => withRoute('{"match":"/hello","respond":{"body":"${file:/etc/passwd}"}}'),
    'that names the environment': () => withRoute('{"match":"/hello","respond":{"body":"${env.PATH}"}}'),
  };

  it.each(Object.entries(hostile))(
    '%s is refused with its reason, and changes nothing',
    async (_, body) => {
      const before = await etagNow();
      const [answer, validated] = await Promise.all([put(body(), before), validate(body())]);
      expect(answer.status).toBe(422);
      const { issues } = JSON.parse(answer.text) as { issues: { severity: string; message: string }[] };
      expect(issues.some(({ severity }) => severity === 'error')).toBe(true);
      // An issue quotes what it is about, but not 100 kB of it.
      expect(answer.text.length).toBeLessThan(20_000);
      expect(answer.text).not.toMatch(/root:x:|at .*\.ts:\d+/);
      expect(JSON.parse(validated.text)).toMatchObject({ valid: false });
      expect(await hello()).toBe('hello');
      expect(await etagNow()).toBe(before);
    },
    20_000,
  );

  it('is held up by none of them for long: others are answered meanwhile', async () => {
    const slow = Object.values(hostile).map((body) => validate(body()));
    const began = performance.now();
    expect((await node.api('/healthz')).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(await hello()).toBe('hello');
    for (const { status } of await Promise.all(slow)) expect(status).toBe(200);
  }, 30_000);

  it('that is larger than its bound is 413', async () => {
    expect((await put(`"${'x'.repeat(20 * 1024 * 1024)}"`)).status).toBe(413);
    expect(await hello()).toBe('hello');
  });
});

describe('many who put configs at once', () => {
  const replaced = (answers: readonly Answer[]) => answers.filter(({ status }) => status === 200);

  it('with one ETag: one wins, and the others are told that theirs is old', async () => {
    const etag = await etagNow();
    const texts = Array.from({ length: 8 }, (_, i) => `of ${i}`);
    const answers = await Promise.all(texts.map((text) => put(saying(text), etag)));
    expect(replaced(answers)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(7);
    const winner = answers.findIndex(({ status }) => status === 200);
    expect(await hello()).toBe(texts[winner]);
    expect(await etagNow()).toBe(answers[winner]!.headers.etag);
  });

  it('and roll back, and change the file, leave one of them in force on the data plane as the API says', async () => {
    const races = Array.from({ length: 12 }, async (_, i) => {
      if (i % 3 === 0) return node.post('/v1/config/rollback', {});
      if (i === 7) node.write({ routes: { hello: { match: '/hello', respond: { body: 'of the file' } } } });
      return put(saying(`race ${i}`), i % 3 === 1 ? '*' : undefined);
    });
    for (const { status } of await Promise.all(races)) expect([200, 404, 412]).toContain(status);
    const shown = async () => {
      const { routes } = JSON.parse((await node.api('/v1/config')).text);
      return routes.hello.respond.body as string;
    };
    const ofFile = () => node.logged('the config was reloaded').some(({ reason }) => reason === 'file');
    await until(ofFile, 'the file to be read, too', 15_000);
    await until(async () => (await hello()) === (await shown()), 'what is served to be what is shown');
    // Nobody's change was left half done: the next one is taken as ever.
    expect((await put(saying('after'))).status).toBe(200);
    expect(await hello()).toBe('after');
    expect(await shown()).toBe('after');
  });
});
