import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';

/** What a collector says to a batch. */
export interface Said {
  readonly status: number;
  /** The beginning of its answer. */
  readonly text: string;
  /** Seconds or a date (RFC 9110 §10.2.3), as it asks for; null: it does not. */
  readonly retryAfter: string | null;
}

/** Of what a collector says, in bytes. */
const MOST_SAID = 4096;

/**
 * The place where traces are posted to, on a connection that is kept. Not by `fetch`, whose streams cost each request that is
 * served meanwhile a twentieth more.
 */
export class Collector {
  private readonly url: URL;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly agent: HttpAgent;

  constructor(url: string, headers: Readonly<Record<string, string>>) {
    this.url = new URL(url);
    this.headers = headers;
    const Agent = this.url.protocol === 'https:' ? HttpsAgent : HttpAgent;
    this.agent = new Agent({ keepAlive: true, maxSockets: 1 });
  }

  /** @throws the error of the connection, also where there is no answer within `ms` */
  async post(body: Buffer, ms: number): Promise<Said> {
    const signal = AbortSignal.timeout(ms);
    try {
      return await this.send(body, signal);
    } catch (error) {
      // It closed a connection that it had kept just when it was used again.
      if (!(error instanceof Outdated)) throw error;
      return await this.send(body, signal);
    }
  }

  close(): void {
    this.agent.destroy();
  }

  private send(body: Buffer, signal: AbortSignal): Promise<Said> {
    const { url, agent } = this;
    const headers = { ...this.headers, 'content-type': 'application/json', 'content-length': body.length };
    const request = url.protocol === 'https:' ? requestHttps : requestHttp;
    return new Promise((resolve, reject) => {
      const asked = request(url, { method: 'POST', agent, headers, signal }, (response) => {
        beginningOf(response).then((text) => {
          const { statusCode: status, headers: said } = response;
          resolve({ status: status!, text, retryAfter: said['retry-after'] ?? null });
        }, reject);
      });
      asked.on('error', (error) => reject(causeOf(error, asked, signal)));
      asked.end(body);
    });
  }
}

class Outdated extends Error {}

function causeOf(error: NodeJS.ErrnoException, asked: ClientRequest, signal: AbortSignal): Error {
  if (signal.aborted) return signal.reason as Error;
  if (asked.reusedSocket && error.code === 'ECONNRESET') return new Outdated(error.message);
  // Several addresses were tried.
  return error instanceof AggregateError ? (error.errors[0] as Error) : error;
}

async function beginningOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response) {
    parts.push(part as Buffer);
    length += (part as Buffer).length;
    if (length >= MOST_SAID) break;
  }
  return Buffer.concat(parts).subarray(0, MOST_SAID).toString();
}
