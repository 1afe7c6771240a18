import { expect, it } from 'vitest';
import { httpOrigin, ManualClock } from '../../../src/testkit/index.ts';
import { bareGateway } from '../../bare-gateway.ts';
import { ask } from '../../workers/fixture/lab.ts';

it('what was purged softly, and then replaced by an answer that can not be stored, stands in for no error', async () => {
  const answers: [status: number, control: string, body: string][] = [
    [200, 'max-age=60, stale-if-error=600', 'old'],
    [404, 'no-store', 'gone'],
    [503, 'no-store', 'down'],
  ];
  await using origin = await httpOrigin((_, response) => {
    const [status, control, body] = answers.shift()!;
    response.writeHead(status, { 'cache-control': control }).end(body);
  });
  const { gateway, port } = await bareGateway(
    {
      services: { shop: { url: origin.url, retries: 'none' } },
      routes: { all: { match: '/*', to: 'shop', cache: { tags: ['page'] } } },
    },
    { clock: new ManualClock() },
  );
  const read = async () => (await ask(port, { path: '/', headers: { host: 'shop.test' } })).text;
  expect(await read()).toBe('old');
  gateway.hearFence({ number: 1, what: { tags: ['page'], prefixes: [], all: false, soft: true } });
  expect(await read()).toBe('gone');
  expect(await read()).toBe('down');
  await gateway.drain(0);
});
