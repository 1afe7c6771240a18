import type { AcmeConfig, GatewayConfig } from '../config/model.ts';

/** What a host is shown with: PEM text. */
export interface HostCertificate {
  readonly host: string;
  /** The chain, the host's own certificate first. */
  readonly cert: string;
  readonly key: string;
}

/** What the authority asks for while it makes sure that a host is ours. */
export interface Proofs {
  /** The answer by the token that is asked for (RFC 8555 §8.3). */
  readonly http: Readonly<Record<string, string>>;
  /** The certificate by the host that is asked for (RFC 8737 §3). */
  readonly tls: Readonly<Record<string, { readonly cert: string; readonly key: string }>>;
}

export const NO_PROOFS: Proofs = { http: {}, tls: {} };

/** A listener that shows certificates which the gateway gets by itself. */
export interface AcmeListener {
  readonly name: string;
  readonly acme: AcmeConfig;
}

export function acmeListeners({ listen }: Pick<GatewayConfig, 'listen'>): AcmeListener[] {
  return listen.flatMap(({ name, tls }) => (tls?.acme == null ? [] : [{ name, acme: tls.acme }]));
}

/** Whose certificate, by whom, and where it is kept: what an order depends on. */
export type Authority = Omit<AcmeConfig, 'hosts'>;

/** What is told of sentences that somebody else wrote. */
const LONGEST_MESSAGE = 500;

/** Why there is no certificate, in words for the log. */
export class AcmeError extends Error {
  /** Milliseconds that the authority asks to be left alone for; null: it does not say. */
  readonly retryAfter: number | null;
  /** The kind of problem (RFC 8555 §6.7), without its prefix; null: it is not one of the authority's. */
  readonly type: string | null;

  constructor(message: string, about: { retryAfter?: number | null; type?: string | null } = {}) {
    super(message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message);
    this.retryAfter = about.retryAfter ?? null;
    this.type = about.type ?? null;
  }
}
