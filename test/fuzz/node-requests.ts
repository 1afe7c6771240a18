import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { duplexPair } from 'node:stream';
import { turn } from '../../src/testkit/index.ts';
import type { Outcome } from './outcome.ts';

let outcome: Outcome = { taken: [], end: 'open', why: '' };

function take(request: IncomingMessage, response: ServerResponse): void {
  const parts: Buffer[] = [];
  request.on('error', () => {});
  request.on('data', (chunk: Buffer) => parts.push(chunk));
  request.on('end', () => {
    outcome.taken.push({
      what: request.method!,
      target: request.url!,
      version: request.httpVersionMajor * 10 + request.httpVersionMinor,
      headers: request.rawHeaders,
      body: Buffer.concat(parts).toString('latin1'),
      trailers: request.rawTrailers,
    });
    response.writeHead(204).end();
  });
}

const server = createServer({
  insecureHTTPParser: false,
  keepAliveTimeout: 0,
  requestTimeout: 0,
  headersTimeout: 0,
});
server.on('request', take);
server.on('checkContinue', take);
server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
  outcome.end = 'refused';
  outcome.why = 'expectation';
  response.writeHead(417, { connection: 'close' }).end();
});
server.on('connect', (_request, socket) => {
  outcome.end = 'refused';
  outcome.why = 'CONNECT';
  socket.destroy();
});
// The socket stays: requests that came whole before the error are still to be handed out.
server.on('clientError', (error: NodeJS.ErrnoException) => {
  if (outcome.end !== 'open') return;
  outcome.end = 'refused';
  outcome.why = `${error.code}: ${error.message}`;
});

/** What Node's own strict parser and server make of these bytes. */
export async function nodeRequests(bytes: string): Promise<Outcome> {
  outcome = { taken: [], end: 'open', why: '' };
  const [client, peer] = duplexPair();
  client.on('error', () => {});
  peer.on('error', () => {});
  let answers = '';
  client.on('data', (chunk: Buffer) => {
    answers += chunk.toString('latin1');
  });
  server.emit('connection', peer);
  client.write(bytes, 'latin1');
  // Each answer is given in a turn of its own, and only then is the next request read.
  for (let before = -1; before !== outcome.taken.length; ) {
    before = outcome.taken.length;
    await turn();
    await turn();
  }
  // What Node refuses by itself, before a handler hears of it: a missing Host.
  if (outcome.end === 'open' && /HTTP\/1\.1 400 /.test(answers)) {
    outcome.end = 'refused';
    outcome.why = 'answered 400';
  }
  const result = outcome;
  client.destroy();
  peer.destroy();
  return result;
}
