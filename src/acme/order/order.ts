import type { KeyObject } from 'node:crypto';
import type { Clock } from '../../util/clock.ts';
import { AcmeError, type Authority, type HostCertificate, NO_PROOFS, type Proofs } from '../contract.ts';
import { certificateName, certificateRequest, proofCertificate } from './certificates.ts';
import { isObject, kindOf, refusal, wordsOf } from './problem.ts';
import { Session, type SessionParts } from './session.ts';
import { retryAfterOf } from './transport.ts';

export interface OrderParts extends SessionParts {
  readonly account: KeyObject;
  /** Shows what the authority looks for; resolves once it can be seen, with what takes it away. */
  readonly prove: (proofs: Proofs) => Promise<() => void>;
  /** The certificate (PEM) that the new one is for the place of; null: there is none. */
  readonly replaced: string | null;
  /** Told once an account was made, and which terms that meant to agree to. */
  readonly joined: (terms: string | null) => void;
}

/** From the order to the certificate, ms. */
const PATIENCE = 5 * 60_000;
/** Between two looks at what the authority works on: what it asks for within these bounds, ms. */
const SOONEST_LOOK = 1_000;
const LATEST_LOOK = 30_000;

/** Gets a certificate for one host (RFC 8555 §7.4). Rejects with `AcmeError` where none is to be had. */
export async function orderCertificate(
  host: string,
  authority: Authority,
  parts: OrderParts,
): Promise<HostCertificate> {
  const session = await Session.open(authority, parts);
  try {
    if (await session.enter(parts.account)) parts.joined(session.directory.terms);
    return await new Order(host, authority, session, parts).run();
  } finally {
    session.close();
  }
}

class Order {
  private readonly host: string;
  private readonly authority: Authority;
  private readonly session: Session;
  private readonly parts: OrderParts;
  private readonly until: number;

  constructor(host: string, authority: Authority, session: Session, parts: OrderParts) {
    this.host = host;
    this.authority = authority;
    this.session = session;
    this.parts = parts;
    this.until = parts.clock.now() + PATIENCE;
  }

  async run(): Promise<HostCertificate> {
    const { url, order } = await this.begin();
    for (const authorization of textsOf(order.authorizations)) await this.authorize(authorization);
    const { request, key } = await certificateRequest(this.host);
    const ready = await this.follow('the order', url, ['pending', 'processing']);
    if (ready.status === 'ready')
      await this.session.object('the authority refuses the request', textOf(ready, 'finalize'), {
        csr: request,
      });
    const done = await this.follow('the order', url, ['ready', 'processing']);
    const answer = await this.session.post(textOf(done, 'certificate'), null);
    if (answer.status !== 200) throw refusal('the certificate is not given', answer, this.session.wall);
    return { host: this.host, cert: answer.text, key };
  }

  /** An authority that has the old one down as replaced already takes the order without it (RFC 9773 §5). */
  private async begin(): Promise<{ url: string; order: Record<string, unknown> }> {
    const { replaced } = this.parts;
    const { newOrder, renewalInfo } = this.session.directory;
    const identifiers = [{ type: 'dns', value: this.host }];
    const replaces = renewalInfo === null || replaced === null ? null : certificateName(replaced);
    const ask = (payload: object) =>
      this.session.object('the authority refuses the order', newOrder, payload);
    const { value, answer } = await (replaces === null
      ? ask({ identifiers })
      : ask({ identifiers, replaces }).catch((error: AcmeError) => {
          if (!REPLACED_ALREADY.has(error.type)) throw error;
          return ask({ identifiers });
        }));
    const url = answer.headers.location;
    if (url === undefined) throw new AcmeError('the authority does not say where the order is');
    return { url, order: value };
  }

  private async authorize(url: string): Promise<void> {
    const { value } = await this.session.object('the authority tells nothing of its proof', url, null);
    if (value.status === 'valid') return;
    const { challenge } = this.authority;
    const offered = Array.isArray(value.challenges) ? value.challenges.filter(isObject) : [];
    const chosen = offered.find(({ type }) => type === challenge);
    if (chosen === undefined) {
      const others = offered.map(({ type }) => type).join(', ');
      throw new AcmeError(`the authority does not offer ${challenge} for ${this.host}, but ${others}`);
    }
    const takeAway = await this.parts.prove(await this.proofOf(textOf(chosen, 'token')));
    try {
      await this.session.object('the authority does not look for the proof', textOf(chosen, 'url'), {});
      await this.follow(`${this.host} could not be validated by ${challenge}`, url, [
        'pending',
        'processing',
      ]);
    } finally {
      takeAway();
    }
  }

  private async proofOf(token: string): Promise<Proofs> {
    if (!/^[A-Za-z0-9_-]{1,512}$/.test(token)) throw new AcmeError('the token of the authority is none');
    const authorization = await this.session.authorizationOf(token);
    if (this.authority.challenge === 'http-01') return { ...NO_PROOFS, http: { [token]: authorization } };
    const pair = await proofCertificate(this.host, authorization, this.parts.clock.wall());
    return { ...NO_PROOFS, tls: { [this.host]: pair } };
  }

  /** Looks at something as long as it is in one of these states. */
  private async follow(
    what: string,
    url: string,
    passing: readonly string[],
  ): Promise<Record<string, unknown>> {
    for (;;) {
      const { value, answer } = await this.session.object(`${what} can't be looked at`, url, null);
      if (FAILED.has(String(value.status))) throw failure(what, value);
      if (!passing.includes(String(value.status))) return value;
      await this.pause(retryAfterOf(answer, this.session.wall) ?? SOONEST_LOOK, what);
    }
  }

  private async pause(asked: number, what: string): Promise<void> {
    const { clock, signal } = this.parts;
    const ms = Math.min(Math.max(asked, SOONEST_LOOK), LATEST_LOOK);
    if (clock.now() + ms > this.until)
      throw new AcmeError(`${what}: it was not done within ${PATIENCE / 60_000} minutes`);
    await sleep(clock, ms, signal);
  }
}

/** Refusals that may come of what an order says it replaces: some authorities have no word of its own for it. */
const REPLACED_ALREADY: ReadonlySet<string | null> = new Set(['alreadyReplaced', 'malformed']);
const FAILED: ReadonlySet<string> = new Set(['invalid', 'deactivated', 'expired', 'revoked']);

/** What an authorization failed by stands with its challenge (RFC 8555 §8.2). */
function failure(what: string, value: Record<string, unknown>): AcmeError {
  const challenges = Array.isArray(value.challenges) ? value.challenges.filter(isObject) : [];
  const error = [value, ...challenges].map((one) => one.error).find(isObject);
  if (error === undefined) return new AcmeError(`${what}: it is ${value.status}`);
  return new AcmeError(`${what}: ${wordsOf(error)}`, { type: kindOf(error) });
}

function textOf(value: Record<string, unknown>, key: string): string {
  const text = value[key];
  if (typeof text !== 'string') throw new AcmeError(`the authority leaves out "${key}"`);
  return text;
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

/** Rejects where it is broken off. */
function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clock.cancel(timer);
      reject(new AcmeError('it was broken off'));
    };
    const timer = clock.after(ms, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
