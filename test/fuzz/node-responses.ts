import { request } from 'node:http';
import type { Outcome } from './outcome.ts';

/** What Node's own client makes of the answer that waits behind this port. */
export async function nodeResponse(port: number, method: string): Promise<Outcome> {
  const outcome: Outcome = { taken: [], end: 'open', why: '' };
  await new Promise<void>((resolve) => {
    const refused = (why: string) => {
      outcome.end = 'refused';
      outcome.why = why;
      resolve();
    };
    const asked = request({ port, host: '127.0.0.1', method, agent: false, insecureHTTPParser: false });
    asked.on('error', (error: NodeJS.ErrnoException) => refused(`${error.code}: ${error.message}`));
    asked.on('upgrade', (_response, socket) => {
      socket.destroy();
      refused('upgraded');
    });
    asked.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('error', (error: NodeJS.ErrnoException) => refused(`${error.code}: ${error.message}`));
      response.on('data', (chunk: Buffer) => parts.push(chunk));
      response.on('end', () => {
        if (!response.complete) return refused('not complete');
        outcome.taken.push({
          what: String(response.statusCode),
          target: '',
          version: response.httpVersionMajor * 10 + response.httpVersionMinor,
          headers: response.rawHeaders,
          body: Buffer.concat(parts).toString('latin1'),
          trailers: response.rawTrailers,
        });
        resolve();
      });
    });
    asked.end();
  });
  return outcome;
}
