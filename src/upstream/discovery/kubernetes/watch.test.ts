import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KubernetesDiscoverConfig } from '../../../config/model.ts';
import {
  type ApiAnswer,
  endpointSlice,
  freePort,
  type KubernetesApi,
  kubernetesApi,
  refuse,
  seededRandom,
  tempFolder,
  until,
} from '../../../testkit/index.ts';
import type { Pod } from './access.ts';
import { type KubernetesTimes, KubernetesWatch } from './watch.ts';

interface Heard {
  error: string | null;
  targets: string[];
  again: number;
}

const closers: (() => unknown)[] = [];
let api: KubernetesApi;
beforeEach(async () => {
  api = await kubernetesApi();
  closers.push(() => api.close());
  api.put(endpointSlice('shop-a', 8080, '10.0.0.1'));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const TLS = { ca: null, cert: null, key: null, serverName: null, verify: true };
const TIMES: KubernetesTimes = { grace: 5000, silence: 30_000, shortest: 0 };
const NO_POD: Pod = { account: '/nowhere', env: {} };

function watching(
  config: Partial<KubernetesDiscoverConfig> = {},
  times: Partial<KubernetesTimes> = {},
  pod = NO_POD,
) {
  const whole: KubernetesDiscoverConfig = {
    kind: 'kubernetes',
    namespace: 'edge',
    name: 'shop',
    port: null,
    api: { url: api.url, token: null, tls: { ...TLS, ca: api.ca } },
    scheme: 'http',
    ...config,
  };
  const closing = new AbortController();
  closers.push(() => closing.abort());
  const watch = new KubernetesWatch(whole, seededRandom(1), { ...TIMES, ...times }, pod);
  const ask = () =>
    new Promise<Heard>((resolve) =>
      watch.ask((error, targets, again) => {
        resolve({
          error: error?.message ?? null,
          targets: targets.map(({ host, port }) => `${host}:${port}`),
          again,
        });
      }, closing.signal),
    );
  return { ask, close: () => closing.abort() };
}

const queries = () => api.asked.map(({ query: { labelSelector, timeoutSeconds, ...rest } }) => rest);
const list = (version: number) => ({
  resourceVersion: String(version),
  resourceVersionMatch: 'NotOlderThan',
});
const watch = (version: number) => ({
  watch: 'true',
  resourceVersion: String(version),
  allowWatchBookmarks: 'true',
});
const A = '10.0.0.1:8080';
const B = '10.0.0.2:8080';
const onlyB = () => api.put(endpointSlice('shop-a', 8080, '10.0.0.2'));

describe('a service of Kubernetes', () => {
  it('is listed by its name, from what the server has at hand, and then watched with bookmarks', async () => {
    const { ask } = watching();
    expect(await ask()).toEqual({ error: null, targets: [A], again: 0 });
    expect(queries()).toEqual([list(0), watch(101)]);
    for (const { path, query } of api.asked) {
      expect(path).toBe('/apis/discovery.k8s.io/v1/namespaces/edge/endpointslices');
      expect(query.labelSelector).toBe('kubernetes.io/service-name=shop');
    }
    const seconds = Number(api.asked[1]!.query.timeoutSeconds);
    expect(seconds).toBeGreaterThanOrEqual(300);
    expect(seconds).toBeLessThanOrEqual(600);
  });

  it('is heard of as slices come, change and go, on the same watch', async () => {
    const { ask } = watching();
    await ask();
    let next = ask();
    api.put(endpointSlice('shop-b', 8080, '10.0.0.2'));
    expect((await next).targets).toEqual([A, B]);
    next = ask();
    api.put(endpointSlice('shop-a', 8080));
    expect((await next).targets).toEqual([B]);
    next = ask();
    api.remove('shop-b');
    expect((await next).targets).toEqual([]);
    expect(api.asked.length).toBe(2);
  });

  it('what changes while nobody asks is heard at once by the next who does, in one', async () => {
    const { ask } = watching();
    await ask();
    api.put(endpointSlice('shop-b', 8080, '10.0.0.2'));
    api.put(endpointSlice('shop-a', 8080));
    await until(async () => (await ask()).targets.join() === B, 'both changes');
    expect(api.asked.length).toBe(2);
  });

  it('that nobody knows is no service, and what was known of it goes', async () => {
    const { ask } = watching();
    await ask();
    const next = ask();
    api.remove('shop-a');
    expect(await next).toMatchObject({
      error: 'the service edge/shop has no EndpointSlice: is there such a service?',
      targets: [],
    });
    const later = ask();
    onlyB();
    expect(await later).toMatchObject({ error: null, targets: [B] });
    expect(api.asked.length).toBe(2);
  });

  it('a watch that ends is taken up where the last bookmark was, after a short while', async () => {
    const { ask } = watching();
    await ask();
    const next = ask();
    api.bookmark();
    expect((await next).targets).toEqual([A]);
    const end = ask();
    api.cut();
    const { error, targets, again } = await end;
    expect([error, targets]).toEqual([null, [A]]);
    expect(again).toBeGreaterThanOrEqual(1000);
    expect(again).toBeLessThan(1500);
    onlyB();
    expect((await ask()).targets).toEqual([A]);
    expect((await ask()).targets).toEqual([B]);
    expect(queries()).toEqual([list(0), watch(101), watch(102)]);
  });

  it('a connection that breaks in the middle of a line is taken up before it', async () => {
    const { ask } = watching();
    await ask();
    const next = ask();
    api.bookmark();
    api.say('{"type":"MODIFIED","object":{"metadata":{"name":"shop-a","resourceVersion":"9999"}');
    await next;
    const end = ask();
    api.cut('destroy');
    expect(await end).toMatchObject({ error: null, targets: [A] });
    await ask();
    expect(queries().at(-1)).toEqual(watch(102));
  });

  it('a line may come in pieces, and several at once', async () => {
    const { ask } = watching();
    await ask();
    const object = (name: string, host: string, version: number) => ({
      ...endpointSlice(name, 8080, host),
      metadata: { name, resourceVersion: String(version), labels: { said: 'ü'.repeat(10) } },
    });
    const line = (name: string, host: string, version: number) =>
      `${JSON.stringify({ type: 'ADDED', object: object(name, host, version) })}\n`;
    const text = Buffer.from(line('b', '10.0.0.2', 102) + line('c', '10.0.0.3', 103));
    const next = ask();
    for (let at = 0; at < text.length; at += 50) {
      api.say(text.subarray(at, at + 50));
      await new Promise(setImmediate);
    }
    let { targets } = await next;
    if (targets.length === 2) ({ targets } = await ask());
    expect(targets).toEqual([A, B, '10.0.0.3:8080']);
  });

  it('a watch that is silent for too long is taken for dead, and taken up', async () => {
    const { ask } = watching({}, { silence: 100 });
    await ask();
    expect(await ask()).toMatchObject({ error: null, targets: [A] });
    await ask();
    expect(queries()).toEqual([list(0), watch(101), watch(101)]);
  });

  it('what the API no longer knows (410) is listed anew, no older than what is known', async () => {
    const { ask } = watching();
    await ask();
    api.cut();
    await ask();
    onlyB();
    api.forget();
    expect(await ask()).toMatchObject({ error: null, targets: [A] });
    expect(await ask()).toMatchObject({ error: null, targets: [A] });
    expect(await ask()).toMatchObject({ error: null, targets: [B] });
    expect(queries().slice(2)).toEqual([watch(101), list(101), watch(112)]);
  });

  it('also where it says so by its status', async () => {
    const { ask } = watching();
    await ask();
    api.cut();
    await ask();
    api.answers.push(refuse(410, 'too old resource version'));
    expect(await ask()).toMatchObject({ error: null, targets: [A] });
    await ask();
    expect(queries().slice(2)).toEqual([watch(101), list(101), watch(101)]);
  });

  it('after etcd was restored it is listed whatever its version', async () => {
    const { ask } = watching();
    await ask();
    api.restore();
    api.answers.push((response) => void response.destroy());
    api.cut();
    await ask();
    expect((await ask()).error).toBe('the connection was closed before an answer');
    expect((await ask()).error).toBe('status 504: Timeout: Too large resource version: 101, current: 1');
    expect(await ask()).toMatchObject({ error: null, targets: [A] });
    expect(queries().slice(2)).toEqual([watch(101), list(101), {}, watch(1)]);
  });
});

describe('trouble with the API', () => {
  it('is told with a pause that grows, until a watch has proved itself', async () => {
    const { ask } = watching();
    api.always = refuse(500, 'no leader');
    const pauses: number[] = [];
    for (let count = 0; count < 7; count++) {
      const { error, again } = await ask();
      expect(error).toBe('status 500: no leader');
      pauses.push(again);
    }
    for (const [count, least] of [1000, 2000, 4000, 8000, 16_000, 16_000, 16_000].entries()) {
      expect(pauses[count]).toBeGreaterThanOrEqual(least);
      expect(pauses[count]).toBeLessThan(least * 1.5);
    }
    api.always = null;
    expect(await ask()).toMatchObject({ error: null, again: 0 });
    const bookmarked = ask();
    api.bookmark();
    await bookmarked;
    api.always = refuse(500, 'no leader');
    api.cut();
    await ask();
    expect((await ask()).again).toBeLessThan(1500);
  });

  it('is told where a list is allowed, but no watch', async () => {
    const { ask } = watching();
    const allowed: ApiAnswer = (response) =>
      void response.end(
        JSON.stringify({ kind: 'EndpointSliceList', metadata: { resourceVersion: '1' }, items: [] }),
      );
    api.answers.push(
      allowed,
      refuse(403, 'endpointslices is forbidden: User "system:serviceaccount:edge:gate" cannot watch'),
    );
    expect((await ask()).error).toMatch(
      /^status 403: system:serviceaccount:edge:gate may not list and watch .*kind: Role,/,
    );
  });

  it('is told where watches are cut at once, and pauses grow though each is opened', async () => {
    const { ask } = watching({}, { shortest: 10_000 });
    const pauses: number[] = [];
    for (let count = 0; count < 3; count++) {
      await ask();
      const end = ask();
      api.cut();
      const { error, again } = await end;
      expect(error).toBe('each watch is ended at once: does something between here and the API cut it?');
      pauses.push(again);
    }
    expect(pauses[2]).toBeGreaterThanOrEqual(4000);
  });

  it.each<[string, string, string]>([
    ['HTML', '<html>', 'the answer is not JSON'],
    [
      'another list',
      '{"kind":"PodList","items":[]}',
      'the answer is not a list of EndpointSlices: is this the API of Kubernetes?',
    ],
    [
      'no version',
      '{"kind":"EndpointSliceList","items":[]}',
      'the answer has no resourceVersion: is this the API of Kubernetes?',
    ],
    [
      'a slice without a name',
      '{"kind":"EndpointSliceList","metadata":{"resourceVersion":"1"},"items":[{}]}',
      'an EndpointSlice has no name',
    ],
    [
      'too many endpoints',
      JSON.stringify({
        kind: 'EndpointSliceList',
        metadata: { resourceVersion: '1' },
        items: [1, 2, 3, 4, 5].map((n) => endpointSlice(`s${n}`, 80, ...Array(1000).fill('10.0.0.1'))),
      }),
      '5000 endpoints are more than the 4096 that are taken',
    ],
    [
      'too many slices',
      JSON.stringify({
        kind: 'EndpointSliceList',
        metadata: { resourceVersion: '1' },
        items: Array.from({ length: 4097 }, (_, n) => endpointSlice(`s${n}`, 80)),
      }),
      '4097 EndpointSlices are more than the 4096 that are taken',
    ],
  ])('a list of %s is an error', async (_what, body, message) => {
    api.answers.push((response) => void response.end(body));
    expect(await watching().ask()).toMatchObject({ error: message, targets: [] });
  });

  it.each<[string, string, string]>([
    ['HTML', '<html>', 'the answer is not JSON'],
    ['no object', '{"type":"ADDED"}', 'the answer has no resourceVersion: is this the API of Kubernetes?'],
    [
      'another kind',
      '{"type":"RENAMED","object":{"metadata":{"name":"a","resourceVersion":"1"}}}',
      'the watch tells of an event that is none',
    ],
    ['an error', '{"type":"ERROR","object":{"code":500,"message":"no leader"}}', 'status 500: no leader'],
  ])('an event of %s is an error, and the slices are listed anew', async (_what, line, message) => {
    const { ask } = watching();
    await ask();
    const next = ask();
    api.say(`${line}\n`);
    expect(await next).toMatchObject({ error: message, targets: [] });
    await until(() => api.watching === 0, 'the end of the watch');
    expect(await ask()).toMatchObject({ error: null, targets: [A] });
    expect(queries().slice(2)).toEqual([list(101), watch(101)]);
  });

  it('a list, or a line, without end is cut off', async () => {
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    const endless: ApiAnswer = (response) => {
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    };
    const { ask } = watching({}, { grace: 20_000 });
    api.answers.push(endless);
    expect((await ask()).error).toBe('the answer is longer than 16777216 bytes');
    expect((await ask()).error).toBeNull();
    api.cut();
    await ask();
    api.answers.push(endless);
    expect((await ask()).error).toBeNull();
    expect((await ask()).error).toBe('a line of the answer is longer than 16777216 bytes');
  }, 30_000);

  it('who says nothing, or is not there, or is not trusted is an error', async () => {
    api.answers.push(() => {});
    expect((await watching({}, { grace: 100 }).ask()).error).toBe('no answer in 100 ms');
    const url = `https://127.0.0.1:${await freePort()}`;
    expect((await watching({ api: { url, token: null, tls: TLS } }).ask()).error).toBe('connection refused');
    const stranger = watching({ api: { url: api.url, token: null, tls: TLS } });
    expect((await stranger.ask()).error).toContain('certificate');
  });

  it('a watch whose head does not come is an error, too', async () => {
    api.answers.push(
      (response) =>
        void response.end('{"kind":"EndpointSliceList","metadata":{"resourceVersion":"1"},"items":[]}'),
      () => {},
    );
    expect((await watching({}, { grace: 300 }).ask()).error).toBe('no answer in 300 ms');
  });

  it('what nobody wants any more ends at once', async () => {
    const { ask, close } = watching();
    await ask();
    await until(() => api.watching === 1, 'the watch');
    close();
    await until(() => api.watching === 0, 'the end of the watch');
  });
});

describe('in a pod', () => {
  function pod(): { pod: Pod; write(token: string): void } {
    const folder = tempFolder();
    closers.push(() => folder.close());
    const { port } = new URL(api.url);
    folder.write('ca.crt', api.ca);
    const write = (token: string) => void folder.write('token', `${token}\n`);
    write('t0ken-1');
    api.token = 't0ken-1';
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: port };
    return { pod: { account: folder.path, env }, write };
  }
  const tokens = () => api.asked.map(({ authorization }) => authorization);

  it("the cluster's own API is asked, with the account of the pod", async () => {
    const { ask } = watching({ api: null }, {}, pod().pod);
    expect(await ask()).toMatchObject({ error: null, targets: [A] });
    expect(tokens()).toEqual(['Bearer t0ken-1', 'Bearer t0ken-1']);
  });

  it('a token that has rotated is shown from the next request on; one that is not taken is told of', async () => {
    const { pod: own, write } = pod();
    const { ask } = watching({ api: null }, {}, own);
    await ask();
    api.token = 't0ken-2';
    api.cut();
    await ask();
    expect((await ask()).error).toBe('status 401: the API does not take the token');
    write('t0ken-2');
    expect(await ask()).toMatchObject({ error: null, targets: [A] });
    expect(tokens().at(-1)).toBe('Bearer t0ken-2');
  });

  it('what is missing is named', async () => {
    const { pod: own, write } = pod();
    expect((await watching({ api: null }).ask()).error).toBe(
      'KUBERNETES_SERVICE_HOST and _PORT are not set, so this is no pod: say "api" beside it',
    );
    const none = { ...own, account: '/nowhere' };
    expect((await watching({ api: null }, {}, none).ask()).error).toMatch(
      /^there is no \/nowhere\/\S+: does the pod say automountServiceAccountToken: false\?$/,
    );
    write('');
    expect((await watching({ api: null }, {}, own).ask()).error).toBe(`${own.account}/token is empty`);
  });

  it('an API of another cluster never sees the account of the pod', async () => {
    const { pod: own } = pod();
    api.token = null;
    await watching({}, {}, own).ask();
    expect(tokens()).toEqual([undefined, undefined]);
  });
});
