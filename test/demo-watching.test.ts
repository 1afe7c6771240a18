import { expect, test } from 'vitest';
import { watchChanges } from '../demo/watching.ts';
import { httpOrigin, until } from '../src/testkit/index.ts';

const change = {
  source: 'shop',
  table: 'public.orders',
  op: 'update',
  key: '1',
  tags: ['order:1'],
  more: 0,
  unseated: 2,
  commitMs: null,
};

test('the demo prints each change as it happens, and goes on behind the last after a break', async () => {
  const asked: (string | undefined)[] = [];
  await using admin = await httpOrigin(async (request, response) => {
    asked.push(request.headers['last-event-id'] as string | undefined);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (asked.length > 1)
      return void response.end('id: 8\nevent: changes\ndata: {"count":70,"unseated":1}\n\n');
    const text = `: alive\n\nid: 7\nevent: change\ndata: ${JSON.stringify(change)}\n\nid: 8\nevent: source\ndata: {}\n\n`;
    response.write(text.slice(0, 60));
    await new Promise((resolve) => setImmediate(resolve));
    response.end(text.slice(60));
  });
  const lines: string[] = [];
  const stop = new AbortController();
  const watching = watchChanges(admin.url, (line) => void lines.push(line), stop.signal);
  await until(() => lines.length >= 2, 'both lines', 5000);
  stop.abort();
  await watching;
  expect(lines.slice(0, 2)).toEqual([
    '  update of public.orders 1 → order:1: 2 kept answers unseated',
    '  70 more changes: 1 kept answer unseated',
  ]);
  expect(asked.slice(0, 2)).toEqual([undefined, '8']);
});

test('where the gateway tells of no events, the demo watches none', async () => {
  await using admin = await httpOrigin((_request, response) => void response.writeHead(404).end());
  await watchChanges(admin.url, () => {}, new AbortController().signal);
  expect(admin.count()).toBe(1);
});
