import proxy from '@fastify/http-proxy';
import fastify from 'fastify';

const [listen, origin] = process.argv.slice(2).map(Number);
const app = fastify({ logger: false, genReqId: () => crypto.randomUUID(), bodyLimit: 2 ** 30 });

await app.register(proxy, {
  upstream: `http://127.0.0.1:${origin}`,
  undici: { connections: 100, pipelining: 1 },
  replyOptions: {
    rewriteRequestHeaders: (request, headers) => ({
      ...headers,
      'x-forwarded-for': request.socket.remoteAddress,
      'x-forwarded-proto': 'http',
      'x-forwarded-host': headers.host,
      'x-request-id': request.id,
      via: '1.1 proxy',
    }),
  },
});
await app.listen({ port: listen!, host: '127.0.0.1', backlog: 1024 });
