import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Bench, startGateway } from '../bench.ts';
import { missingTool, wrk } from '../load.ts';
import { tidegateCommand } from '../peers/index.ts';
import { target } from '../report.ts';
import { type Contestant, compare, cpuRatio, printStandings } from './compare.ts';

const CACHED = { cache: { ttl: '1h', override: true } };

/** What it costs to be seen: metrics, an access log to a file and traces of one request in a hundred, against none. */
export async function telemetrySuite(bench: Bench): Promise<unknown> {
  const missing = missingTool('wrk');
  if (missing !== null) {
    console.log(`  left out: ${missing}`);
    return null;
  }
  const collector = await swallowing();
  const { port } = collector.address() as AddressInfo;
  const off = { admin: false };
  const log = { access: 'json', file: '/dev/null' };
  const all = { log, tracing: { otlp: `http://127.0.0.1:${port}/v1/traces`, sample: '1%' } };
  const list = [
    contestant(bench, 'proxied, off', off, {}),
    contestant(bench, 'proxied, metrics', {}, {}),
    contestant(bench, 'proxied, and log', { log }, {}),
    contestant(bench, 'proxied, all', all, {}),
    contestant(bench, 'hit, off', off, CACHED),
    contestant(bench, 'hit, metrics', {}, CACHED),
    contestant(bench, 'hit, and log', { log }, CACHED),
    contestant(bench, 'hit, all', all, CACHED),
  ];
  const standings = await compare(bench, list);
  collector.close();
  printStandings(standings, 'proxied, off');
  target('all of telemetry on × off, proxied', cpuRatio(standings, 'proxied, all', 'proxied, off'), 1.12);
  target('all of telemetry on × off, a hit', cpuRatio(standings, 'hit, all', 'hit, off'), 1.2);
  return standings;
}

/** A collector that takes every trace. */
async function swallowing(): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function contestant(bench: Bench, name: string, more: object, route: object): Contestant {
  return {
    name,
    start: async (port, originPort) => {
      const routes = { all: { match: '/*', to: 'origin', ...route } };
      const command = await tidegateCommand(bench, { port, originPort }, routes, {}, {}, more);
      return await startGateway(bench, command, port);
    },
    load: (port, seconds) =>
      wrk(bench, { url: `http://127.0.0.1:${port}/`, connections: bench.options.connections, seconds }),
  };
}
