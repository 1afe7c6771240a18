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
  const clock = new ManualClock();
  const { gateway, port } = await bareGateway(
    {
      services: { shop: { url: origin.url, retries: 'none' } },
      routes: { all: { match: '/*', to: 'shop', cache: { tags: ['page'] } } },
    },
    { clock },
  );
  const read = async () => (await ask(port, { path: '/', headers: { host: 'shop.test' } })).text;
  const purge = (number: number, tag: string) =>
    gateway.hearFence({ number, what: { tags: [tag], prefixes: [], all: false, soft: true } });
  purge(1, 'another');
  expect(await read()).toBe('old');
  purge(2, 'page');
  expect(await read()).toBe('gone');
  clock.advance(61_000);
  expect(await read()).toBe('down');
  await gateway.drain(0);
});
