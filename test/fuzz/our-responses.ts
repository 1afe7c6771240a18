import { openBody } from '../../src/http/body.ts';
import { ClientConnection, Framing, type OutgoingRequest } from '../../src/http1/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import type { Outcome } from './outcome.ts';

const NEVER = Number.POSITIVE_INFINITY;

function outgoing(method: string): OutgoingRequest {
  return {
    method,
    head: `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`,
    framing: Framing.none,
    body: null,
    upgrade: null,
    firstByte: NEVER,
    idle: NEVER,
  };
}

/** What the gateway's client side makes of the answer that waits behind this port. */
export async function ourResponse(port: number, method: string): Promise<Outcome> {
  const outcome: Outcome = { taken: [], end: 'open', why: '' };
  let connection: ClientConnection | undefined;
  await new Promise<void>((resolve) => {
    const refused = (why: string) => {
      outcome.end = 'refused';
      outcome.why = why;
      resolve();
    };
    const handler = {
      sent: () => NEVER,
      informed: () => {},
      upgraded: () => refused('upgraded'),
      overtaken: () => refused('overtaken'),
      failed: (failure: { code: string; cause: string }) => refused(`${failure.code}: ${failure.cause}`),
      responded(
        head: { status: number; version: number; headers: string[] },
        body: Parameters<typeof openBody>[0],
      ) {
        const parts: Buffer[] = [];
        openBody(body, {
          write(chunk) {
            parts.push(Buffer.from(chunk));
            return true;
          },
          end(trailers) {
            outcome.taken.push({
              what: String(head.status),
              target: '',
              version: head.version,
              headers: [...head.headers],
              body: Buffer.concat(parts).toString('latin1'),
              trailers: trailers ?? [],
            });
            resolve();
          },
          fail: (failure) => refused(failure.code),
        });
      },
    };
    connection = new ClientConnection({ address: '127.0.0.1', port, tls: null }, NEVER, systemClock, {
      reached: () => {},
      opened: (opened) => opened.send(outgoing(method), handler),
      refused: (_, failure) => refused(failure.cause),
      released: () => {},
      eased: () => {},
      detached: () => {},
      closed: () => {},
    });
  });
  connection?.close();
  return outcome;
}
