import { Agent, request } from 'node:https';
import type { Clock } from '../../util/clock.ts';
import { version } from '../../util/version.ts';
import { type WholeAnswer, wholeAnswer } from '../../util/whole-answer.ts';
import { AcmeError } from '../contract.ts';

export interface TransportParts {
  /** Whom to believe that it is the authority (PEM); null: as everybody does. */
  readonly ca: string | null;
  readonly clock: Clock;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
  /** To the end of an answer, ms. */
  readonly deadline?: number;
}

const DEADLINE = 30_000;
/** Bytes. */
const LONGEST_ANSWER = 1024 * 1024;

/** Asks an authority, over TLS alone (RFC 8555 §6.1), on connections that are kept until it is closed. */
export class Transport {
  private readonly agent: Agent;
  private readonly parts: TransportParts;

  constructor(parts: TransportParts) {
    this.parts = parts;
    this.agent = new Agent({ keepAlive: true, ...(parts.ca === null ? {} : { ca: parts.ca }) });
  }

  /** Rejects with `AcmeError` where there is no answer; what the answer says is for the caller to judge. */
  ask(method: 'GET' | 'HEAD' | 'POST', url: string, body: string | null = null): Promise<WholeAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<WholeAnswer>();
    const { clock, signal, deadline = DEADLINE } = this.parts;
    const fail = (error: Error) => reject(unanswered(url, error));
    if (!isHttps(url)) return Promise.reject(new AcmeError(`${url} is no URL of https`));
    const sent = request(url, { method, agent: this.agent, signal, headers: headersOf(body) });
    const timer = clock.after(deadline, () => sent.destroy(new Error(`no answer in ${deadline} ms`)));
    sent.on('close', () => clock.cancel(timer));
    sent.on('error', fail);
    sent.on('response', (response) => wholeAnswer(response, LONGEST_ANSWER).then(resolve, fail));
    sent.end(body ?? undefined);
    return promise;
  }

  close(): void {
    this.agent.destroy();
  }
}

function isHttps(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'https:';
}

function headersOf(body: string | null): Record<string, string> {
  const common = { 'user-agent': `tidegate/${version}`, 'accept-language': 'en' };
  return body === null ? common : { ...common, 'content-type': 'application/jose+json' };
}

function unanswered(url: string, error: Error): AcmeError {
  return new AcmeError(`${new URL(url).host} could not be asked: ${error.message || error.name}`);
}

/** `Retry-After` as milliseconds from now, seconds or a date (RFC 9110 §10.2.3); null: there is none to be read. */
export function retryAfterOf({ headers }: WholeAnswer, wall: number): number | null {
  const text = headers['retry-after'];
  if (text === undefined) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - wall);
}
