import { type Bench, startGateway } from '../bench.ts';
import { type Command, findProgram } from '../machine.ts';
import type { Peer, PeerSetup } from './peer.ts';

/** nginx doing what Tidegate does by default: kept connections to the service, forwarded headers, an id. */
export const nginx: Peer = {
  name: 'nginx',
  missing: () => (findProgram('nginx') === null ? 'apt-get install nginx' : null),
  start: (bench, setup) => startGateway(bench, nginxCommand(bench, setup), setup.port),
};

/** Writes its config, with `more` lines for all of it and `there` for its location, and gives the command that runs it. */
export function nginxCommand(bench: Bench, setup: PeerSetup, more = '', there = ''): Command {
  const { folder } = bench;
  const file = folder.write(`nginx-${setup.port}.conf`, configure(folder.path, setup, more, there));
  return [findProgram('nginx')!, '-p', folder.path, '-c', file];
}

function configure(
  folder: string,
  { port, originPort, tls }: PeerSetup,
  more: string,
  there: string,
): string {
  const secured = tls === undefined ? '' : `ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};`;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/nginx-${port}-${kind};`)
    .join('\n  ');
  // What root starts works as nobody else: the folder is root's alone.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `
daemon off;
${user}
worker_processes 1;
pid ${folder}/nginx-${port}.pid;
error_log stderr error;
events { worker_connections 16384; }
http {
  ${temporary}
  access_log off;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  ${more}
  upstream origin {
    server 127.0.0.1:${originPort};
    keepalive 100;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port}${tls === undefined ? '' : ' ssl'} backlog=4096;
    ${secured}
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Request-Id $request_id;
      proxy_set_header Via "1.1 nginx";
      add_header X-Request-Id $request_id;
      add_header Via "1.1 nginx";
      ${there}
    }
  }
}
`;
}
