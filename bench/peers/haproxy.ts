import { readFileSync } from 'node:fs';
import { startGateway } from '../bench.ts';
import { findProgram } from '../machine.ts';
import type { Peer } from './peer.ts';

/** HAProxy doing what Tidegate does by default. */
export const haproxy: Peer = {
  name: 'haproxy',
  missing: () => (findProgram('haproxy') === null ? 'apt-get install haproxy' : null),
  async start(bench, { port, originPort, tls }) {
    let secured = '';
    if (tls !== undefined) {
      const both = `${readFileSync(tls.cert, 'utf8')}${readFileSync(tls.key, 'utf8')}`;
      secured = ` ssl crt ${bench.folder.write(`haproxy-${port}.pem`, both)}`;
    }
    const file = bench.folder.write(
      `haproxy-${port}.cfg`,
      `
global
  nbthread 1
  maxconn 8000
defaults
  mode http
  timeout connect 1s
  timeout client 75s
  timeout server 60s
  timeout http-request 10s
  http-reuse always
  option forwardfor
frontend front
  bind 127.0.0.1:${port}${secured}
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-var(txn.id) uuid()
  http-request set-header X-Request-Id %[var(txn.id)]
  http-request add-header Via "1.1 haproxy"
  http-response set-header X-Request-Id %[var(txn.id)]
  http-response add-header Via "1.1 haproxy"
  default_backend origin
backend origin
  server one 127.0.0.1:${originPort} maxconn 1024 pool-max-conn 100
`,
    );
    return await startGateway(bench, [findProgram('haproxy')!, '-db', '-f', file], port);
  },
};
