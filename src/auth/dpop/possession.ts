import { hash } from 'node:crypto';
import type { Exchange } from '../../http/exchange.ts';
import { getHeaders } from '../../http/headers.ts';
import { clientAuthority } from '../../pipeline/index.ts';
import { normalisePath } from '../../router/index.ts';
import type { Clock } from '../../util/clock.ts';
import { SeenNames } from '../../util/seen-names.ts';
import type { SharedSeen } from '../contract.ts';
import { judgeProof } from './proof.ts';

/** Where a proof stands (RFC 9449 §4.1). */
export const PROOF_HEADER = 'dpop';

/** Why a client does not have a key; null: it has. */
type Flaw = string | null;

const REPLAYED = 'the proof was shown before';

/** Does a client have the key that its token is bound to (RFC 9449)? Knows the proofs that were shown before. */
export class Possession {
  private readonly clock: Clock;
  private readonly seen = new SeenNames();
  private readonly elsewhere: readonly SharedSeen[];
  /** For whom it was shown already: a proof counts once, for all that is done for one request. */
  private readonly proved = new WeakMap<Exchange, { what: string; flaw: Flaw | Promise<Flaw> }>();

  /** `elsewhere`: what other workers, and other nodes, have seen. */
  constructor(clock: Clock, elsewhere: readonly SharedSeen[]) {
    this.clock = clock;
    this.elsewhere = elsewhere;
  }

  flaw(exchange: Exchange, token: string, thumbprint: string): Flaw | Promise<Flaw> {
    const client = exchange.madeFor ?? exchange;
    const what = hash('sha256', `${thumbprint} ${token}`, 'base64url');
    const proved = this.proved.get(client);
    if (proved?.what === what) return proved.flaw;
    const flaw = this.judge(client, token, thumbprint);
    this.proved.set(client, { what, flaw });
    return flaw;
  }

  private judge(client: Exchange, token: string, thumbprint: string): Flaw | Promise<Flaw> {
    const proofs = getHeaders(client.headers, PROOF_HEADER);
    if (proofs.length !== 1) return proofs.length === 0 ? 'no proof was shown' : 'several proofs were shown';
    const now = this.clock.wall();
    const { method } = client;
    const judged = judgeProof(proofs[0]!, { method, url: urlOf(client), token, thumbprint, now }, normalised);
    if (typeof judged === 'string') return judged;
    // Hashed, so that what is kept has one size.
    const name = hash('sha256', `${thumbprint} ${judged.id}`, 'base64url');
    if (!this.seen.isNew(name, judged.until, now)) return REPLAYED;
    return this.elsewhere.length === 0 ? null : this.newElsewhere(name, judged.until - now);
  }

  /**
   * One after the other, the nearest first: of those who ask at once, the one that is first there asks further. Asked
   * side by side, one could be first at each place, and none at all of them. Whoever can't tell in time is passed over:
   * what the others have seen counts all the same.
   */
  private async newElsewhere(name: string, forMs: number): Promise<Flaw> {
    for (const seen of this.elsewhere) if ((await seen(name, forMs)) === 'again') return REPLAYED;
    return null;
  }
}

function urlOf(exchange: Exchange): string {
  const authority = clientAuthority(exchange, exchange.trusted);
  const origin = originOf(`${exchange.scheme}://${authority}`);
  return `${origin}${exchange.path}`;
}

/** As requests are compared (RFC 9449 §4.3, RFC 3986 §6.2): null for what is no address of HTTP. */
function normalised(url: string): string | null {
  const match = /^(https?:\/\/[^/?#]+)([^?#]*)/i.exec(url);
  if (match === null) return null;
  const origin = originOf(match[1]!);
  const path = normalisePath(match[2] === '' ? '/' : match[2]!);
  return origin === null || path === null ? null : `${origin}${path}`;
}

/** In lower case, without the usual port. */
function originOf(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { origin, username, password } = new URL(text);
  return username === '' && password === '' ? origin : null;
}
