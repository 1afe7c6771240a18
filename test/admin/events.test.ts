/** Events over the admin API, of a gateway as it is run. */
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../src/testkit/index.ts';
import { type AdminNode, adminNode } from './node.ts';

let node: AdminNode;
const readers: Reader[] = [];

beforeEach(async () => {
  node = await adminNode(config('one'));
});
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.close();
  await node[Symbol.asyncDispose]();
});

const config = (text: string): object => ({
  services: {
    down: { url: 'http://127.0.0.1:9', health: { tcp: true, interval: '100ms', unhealthyAfter: 1 } },
  },
  changes: { push: { http: { token: 'sesame' }, tables: { 'public.orders': ['order:{row.id}'] } } },
  routes: {
    hello: { match: '/hello', respond: { body: text } },
    down: { match: '/down', to: 'down' },
  },
});

interface Seen {
  id: string;
  type: string;
  data: Record<string, unknown>;
}

/** A reader of server-sent events on a bare socket. */
class Reader {
  head = '';
  readonly events: Seen[] = [];
  closed = false;
  readonly socket: Socket;
  private text = '';

  constructor(headers: readonly string[] = []) {
    this.socket = connect(node.admin, '127.0.0.1');
    const lines = [`GET /v1/events HTTP/1.1`, `Host: 127.0.0.1:${node.admin}`, ...headers];
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    this.socket.setEncoding('utf8').on('data', (chunk: string) => this.take(chunk));
    this.socket.on('close', () => {
      this.closed = true;
    });
    this.socket.on('error', () => {});
    readers.push(this);
  }

  private take(chunk: string): void {
    this.text += chunk;
    if (this.head === '' && this.text.includes('\r\n\r\n')) this.head = this.text.split('\r\n\r\n', 1)[0]!;
    // Chunk sizes stand on lines of their own, which no block of an event does.
    const blocks = this.text.split('\n\n');
    this.text = blocks.pop()!;
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      const type = field('event');
      if (type === undefined) continue;
      this.events.push({ id: field('id') ?? '', type, data: JSON.parse(field('data')!) as Seen['data'] });
    }
  }

  close(): void {
    this.socket.destroy();
  }

  async next(type: string, count = 1): Promise<Seen> {
    const found = () => this.events.filter((event) => event.type === type);
    await until(() => found().length >= count, `${count} ${type}`);
    return found()[count - 1]!;
  }
}

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${node.admin}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const begun = (reader: Reader) => until(() => reader.head !== '', 'the answer to begin');

describe('events', () => {
  it('tell of purges, reloads, refused configs, health and changes', async () => {
    const reader = new Reader();
    await begun(reader);
    expect(reader.head).toMatch(/200 OK.*content-type: text\/event-stream/is);
    await post('/v1/purge', { tags: ['a', 'b'] });
    expect((await reader.next('purge')).data).toMatchObject({ tags: ['a', 'b'], soft: false });
    const row = { id: 7 };
    const source = { db: 'shop', schema: 'public', table: 'orders', ts_ms: 1 };
    const pushed = await post(
      '/v1/changes/push',
      { op: 'u', before: row, after: row, source },
      { authorization: 'Bearer sesame' },
    );
    expect(pushed.status).toBe(200);
    expect((await reader.next('change')).data).toMatchObject({
      source: 'push',
      table: 'public.orders',
      op: 'update',
      tags: ['order:7'],
      unseated: 0,
    });
    node.write(config('two'));
    expect((await reader.next('reload')).data).toMatchObject({
      ok: true,
      source: `${node.folder.path}/tidegate.yaml`,
      routes: { added: [], removed: [], changed: ['hello'] },
    });
    node.folder.write('tidegate.yaml', 'routes: 1');
    expect((await reader.next('reload', 2)).data).toMatchObject({ ok: false, routes: null });
    expect((await reader.next('health')).data).toMatchObject({ service: 'down', state: 'out' });
  });

  it('are not missed by a reader that comes back', async () => {
    const first = new Reader();
    await begun(first);
    await post('/v1/purge', { tags: ['a'] });
    const { id } = await first.next('purge');
    first.close();
    for (const tag of ['b', 'c']) await post('/v1/purge', { tags: [tag] });
    const back = new Reader([`Last-Event-ID: ${id}`]);
    await back.next('purge', 2);
    expect(back.events.filter(({ type }) => type === 'purge').map(({ data }) => data.tags)).toEqual([
      ['b'],
      ['c'],
    ]);
    expect(back.events.some(({ type }) => type === 'gap')).toBe(false);
  });

  it.each(['abc', '-1', '17', '9999999999999999', '12345678901234567890', '1, 2'])(
    'what was missed since an id that is none of the node (%s) is a gap, with all that is remembered',
    async (id) => {
      await post('/v1/purge', { tags: ['a'] });
      const reader = new Reader([`Last-Event-ID: ${id}`]);
      await reader.next('purge');
      expect(reader.events[0]!.type).toBe('gap');
    },
  );

  it('a reader that comes back gets all that it has missed, however much that is', async () => {
    const tags = Array.from({ length: 50 }, (_, i) => `${i}${'x'.repeat(1000)}`);
    for (let i = 0; i < 40; i++) await post('/v1/purge', { tags });
    const reader = new Reader(['Last-Event-ID: 17']);
    await post('/v1/purge', { tags: ['newest'] });
    expect((await reader.next('purge', 41)).data.tags).toEqual(['newest']);
    expect(reader.closed).toBe(false);
  });

  it('an empty id is that of a reader that comes for the first time', async () => {
    await post('/v1/purge', { tags: ['a'] });
    const reader = new Reader(['Last-Event-ID:']);
    await begun(reader);
    await post('/v1/purge', { tags: ['b'] });
    expect((await reader.next('purge')).data.tags).toEqual(['b']);
    expect(reader.events.some(({ type }) => type === 'gap')).toBe(false);
  });

  it('are read by a hundred at once, and 503 for more; the API goes on', async () => {
    const many = Array.from({ length: 100 }, () => new Reader());
    await until(() => many.every(({ head }) => head !== ''), 'all of them');
    const more = await fetch(`http://127.0.0.1:${node.admin}/v1/events`);
    expect(more.status).toBe(503);
    expect((await fetch(`http://127.0.0.1:${node.admin}/v1/status`)).status).toBe(200);
    for (const reader of many) reader.close();
    await until(async () => {
      const controller = new AbortController();
      const { status } = await fetch(`http://127.0.0.1:${node.admin}/v1/events`, {
        signal: controller.signal,
      });
      controller.abort();
      return status === 200;
    }, 'room again');
  });

  it('a reader that takes nothing is cut, and the others go on', async () => {
    const slow = new Reader();
    const other = new Reader();
    await until(() => slow.head !== '' && other.head !== '', 'both');
    slow.socket.pause();
    const tags = Array.from({ length: 60 }, (_, i) => `${i}${'x'.repeat(1000)}`);
    for (let i = 0; i < 200; i++) await post('/v1/purge', { tags });
    await other.next('purge', 200);
    slow.socket.resume();
    await until(() => slow.closed, 'its connection to be cut');
  });

  it.each([
    ['POST', 405, {}],
    ['GET', 403, { origin: 'http://evil.test' }],
  ] as const)('%s is %i with %j', async (method, status, headers) => {
    const response = await fetch(`http://127.0.0.1:${node.admin}/v1/events`, {
      method,
      headers: { ...(method === 'POST' ? { 'content-type': 'application/json' } : {}), ...headers },
      ...(method === 'POST' ? { body: '{}' } : {}),
    });
    expect(response.status).toBe(status);
  });
});
