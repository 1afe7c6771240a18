import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';

const [listen, origin] = process.argv.slice(2).map(Number);
const proxy = createProxyServer({
  target: `http://127.0.0.1:${origin}`,
  agent: new Agent({ keepAlive: true, maxSockets: 100 }),
  xfwd: true,
});
proxy.on('proxyReq', (request) => {
  request.setHeader('x-request-id', crypto.randomUUID());
  request.setHeader('via', '1.1 proxy');
});
proxy.on('error', (_error, _request, response) => void response.destroy());

createServer((request, response) => void proxy.web(request, response)).listen(listen, '127.0.0.1', 1024);
