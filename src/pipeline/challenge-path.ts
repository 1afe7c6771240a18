import { type Exchange, type Reply, reply } from '../http/exchange.ts';
import type { AheadOfRoutes } from './ahead-of-routes.ts';

/** Answers that an authority looks for now, by their token. */
export interface OpenChallenges {
  readonly answers: ReadonlyMap<string, string>;
}

const PATH = '/.well-known/acme-challenge/';

/**
 * Where an authority looks whether a host is the gateway's (RFC 8555 §8.3). Tokens that it does not look for are left to
 * the routes: a service behind the gateway may get certificates of its own.
 */
export class ChallengePath implements AheadOfRoutes {
  private readonly open: OpenChallenges;

  constructor(open: OpenChallenges) {
    this.open = open;
  }

  answer({ target, method }: Exchange): Reply | null {
    if (!target.startsWith(PATH) || (method !== 'GET' && method !== 'HEAD')) return null;
    const answer = this.open.answers.get(target.slice(PATH.length));
    if (answer === undefined) return null;
    const headers = ['content-type', 'application/octet-stream', 'cache-control', 'no-store'];
    return reply(200, headers, Buffer.from(answer));
  }
}
