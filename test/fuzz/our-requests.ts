import type { Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { cancelBody, openBody } from '../../src/http/body.ts';
import type { Failure } from '../../src/http/errors.ts';
import { type Exchange, type Reply, reply } from '../../src/http/exchange.ts';
import { Listener, type RequestHandler } from '../../src/http1/index.ts';
import { ManualClock, SERVER_LIMITS, turn } from '../../src/testkit/index.ts';
import type { Outcome } from './outcome.ts';

/** Takes every request's body whole, notes it, and answers 204. */
class Recorder implements RequestHandler {
  outcome: Outcome = { taken: [], end: 'open', why: '' };
  /** Requests taken whole, and refusals. */
  owed = 0;

  begin(): void {
    this.outcome = { taken: [], end: 'open', why: '' };
    this.owed = 0;
  }

  handle(exchange: Exchange): void {
    const { outcome } = this;
    const parts: Buffer[] = [];
    openBody(exchange.body, {
      write(chunk) {
        parts.push(Buffer.from(chunk));
        return true;
      },
      end: (trailers) => {
        this.owed++;
        // Some refusals let the connection go on (417); what is compared ends with the first.
        if (outcome.end === 'open') {
          outcome.taken.push({
            what: exchange.method,
            target: exchange.target,
            version: exchange.version,
            headers: [...exchange.headers],
            body: Buffer.concat(parts).toString('latin1'),
            trailers: trailers ?? [],
          });
        }
        exchange.responder.respond(exchange, reply(204, [], null));
      },
      fail() {},
    });
  }

  refuse(exchange: Exchange, failure: Failure): Reply {
    this.owed++;
    if (this.outcome.end === 'open') {
      this.outcome.end = 'refused';
      this.outcome.why = failure.code;
    }
    cancelBody(exchange.body);
    return reply(failure.entry.status, [], null);
  }
}

const recorder = new Recorder();
const clock = new ManualClock();
const listener = new Listener(
  'fuzz',
  { limits: SERVER_LIMITS, tls: null, http2: false },
  clock,
  recorder,
  () => {},
);

/**
 * What the gateway's server side makes of these bytes, cut into packets at `offsets`. Fails where it did not
 * answer each request, and each refusal, exactly once.
 */
export async function ourRequests(bytes: string, offsets: readonly number[]): Promise<Outcome> {
  recorder.begin();
  const [client, server] = duplexPair();
  const destroy = () => server.destroy();
  Object.assign(server, {
    remoteAddress: '127.0.0.1',
    localPort: 1,
    resetAndDestroy: destroy,
    destroySoon: destroy,
  });
  let answers = '';
  client.on('data', (chunk: Buffer) => {
    answers += chunk.toString('latin1');
  });
  client.on('error', () => {});
  listener.server.emit('connection', server as unknown as Socket);
  let start = 0;
  for (const end of [...offsets, bytes.length]) {
    if (end <= start) continue;
    client.write(bytes.slice(start, end), 'latin1');
    start = end;
    await turn();
  }
  await turn();
  const { outcome } = recorder;
  client.destroy();
  server.destroy();
  const given = answers.split('HTTP/1.1 ').length - 1;
  const { owed } = recorder;
  if (given !== owed) throw new Error(`${given} answers to ${owed} requests and refusals:\n${answers}`);
  return outcome;
}
