import http from 'node:http';
import { expect, it } from 'vitest';
import { httpOrigin, startTestGateway } from '../../src/testkit/index.ts';

const RELOADS = 10_000;

/** A config in YAML, another one each time: routes and headers change, the service stays. */
function yaml(url: string, turn: number): string {
  return `
services:
  shop: { url: '${url}' }
routes:
  all: { match: /*, to: shop, response: { headers: { set: { x-turn: '${turn}' } } } }
  other${turn % 7}: { match: '/other/{id}', respond: { template: 'other {params.id}' } }
`;
}

it('10,000 reloads of a YAML config under load fail no request, and keep the connections to the service', async () => {
  const sockets = new Set<unknown>();
  await using origin = await httpOrigin((request, response) => {
    sockets.add(request.socket);
    response.end('ok');
  });
  await using gateway = await startTestGateway(yaml(origin.url, 0));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  let over = false;
  let answered = 0;
  const failures: string[] = [];
  const ask = () =>
    new Promise<void>((resolve) => {
      const request = http.get({ agent, port: gateway.port, path: '/x' }, (response) => {
        if (response.statusCode !== 200) failures.push(String(response.statusCode));
        response.resume();
        response.on('end', () => {
          answered++;
          resolve();
        });
      });
      request.on('error', (error) => {
        failures.push(error.message);
        resolve();
      });
    });
  const client = async () => {
    while (!over) await ask();
  };
  const clients = Array.from({ length: 8 }, client);
  for (let turn = 1; turn <= RELOADS; turn++) {
    await gateway.reload(yaml(origin.url, turn));
    // Requests get their turn between two reloads.
    if (turn % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  over = true;
  await Promise.all(clients);
  agent.destroy();
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThan(500);
  expect(sockets.size).toBeLessThanOrEqual(8);
}, 180_000);
