import { startGateway } from '../bench.ts';
import type { Peer } from './peer.ts';

/** A proxy on Node that is a script of its own in `servers/`. */
function nodeProxy(name: string, script: string): Peer {
  const path = new URL(`../servers/${script}.ts`, import.meta.url).pathname;
  return {
    name,
    missing: () => null,
    start: async (bench, { port, originPort }) =>
      await startGateway(bench, [process.execPath, path, String(port), String(originPort)], port, {
        NODE_ENV: 'production',
      }),
  };
}

export const undiciProxy = nodeProxy('node:http + undici', 'undici-proxy');
export const fastifyProxy = nodeProxy('@fastify/http-proxy', 'fastify-proxy');
export const httpProxy3 = nodeProxy('http-proxy-3', 'http-proxy-3');
