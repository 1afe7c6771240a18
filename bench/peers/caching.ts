import { startGateway } from '../bench.ts';
import { findProgram } from '../machine.ts';
import { nginxCommand } from './nginx.ts';
import type { Peer } from './peer.ts';
import { tidegateCommand } from './tidegate.ts';

/**
 * Peers that keep every answer for an hour, with room for all that a suite asks for. Each says whether it was a
 * hit, adds a request id, and leaves cookies aside, as a cache of public pages does.
 */

/** @param cache What else stands at `cache`: its levels. */
export function cachingTidegate(name = 'tidegate', cache: object = {}): Peer {
  return {
    name,
    missing: () => null,
    start: async (bench, setup) => {
      const routes = { all: { match: '/*', to: 'origin', cache: { ttl: '1h', ignoreCookies: true } } };
      const more = { cache: { memory: '512MiB', ...cache } };
      return await startGateway(
        bench,
        await tidegateCommand(bench, setup, routes, {}, {}, more),
        setup.port,
        setup.env,
      );
    },
  };
}

export const cachingNginx: Peer = {
  name: 'nginx proxy_cache',
  missing: () => (findProgram('nginx') === null ? 'apt-get install nginx' : null),
  start: async (bench, setup) => {
    const folder = `${bench.folder.path}/nginx-${setup.port}-cache`;
    const zone = `proxy_cache_path ${folder} levels=1:2 keys_zone=hits:64m max_size=1g inactive=2h use_temp_path=off;`;
    const use =
      'proxy_cache hits; proxy_cache_valid 200 1h; add_header X-Cache-Status $upstream_cache_status;';
    return await startGateway(bench, nginxCommand(bench, setup, zone, use), setup.port);
  },
};

export const cachingVarnish: Peer = {
  name: 'varnish',
  missing: () => (findProgram('varnishd') === null ? 'apt-get install varnish' : null),
  start: async (bench, { port, originPort }) => {
    const vcl = bench.folder.write(`varnish-${port}.vcl`, configureVarnish(originPort));
    return await startGateway(
      bench,
      [
        findProgram('varnishd')!,
        '-F',
        ...['-j', 'none'],
        ...['-n', `${bench.folder.path}/varnish-${port}`],
        ...['-a', `127.0.0.1:${port}`],
        ...['-f', vcl],
        ...['-s', 'malloc,512m'],
        ...['-p', 'thread_pools=1'],
        ...['-p', 'default_ttl=3600'],
        ...['-t', '3600'],
      ],
      port,
    );
  },
};

function configureVarnish(originPort: number): string {
  return `vcl 4.1;
backend origin { .host = "127.0.0.1"; .port = "${originPort}"; }
sub vcl_recv { unset req.http.Cookie; }
sub vcl_deliver {
  set resp.http.X-Request-Id = req.xid;
  if (obj.hits > 0) { set resp.http.X-Cache-Status = "hit"; } else { set resp.http.X-Cache-Status = "miss"; }
}
`;
}
