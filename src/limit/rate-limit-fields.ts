import type { Headers } from '../http/headers.ts';
import type { Allowance, Verdict } from './gcra.ts';

/** One limit as a client is told of it. */
export interface Told {
  readonly name: string;
  readonly allowance: Allowance;
  readonly verdict: Verdict;
}

/**
 * What a client is told of its limits: `RateLimit-Policy: "orders";q=100;w=60`, `RateLimit: "orders";r=7;t=12`
 * (draft-ietf-httpapi-ratelimit-headers-10). `t` is when more may come: seconds until the quota is whole again, or, where
 * nothing is left, until the next request.
 */
export function rateLimitFields(limits: readonly Told[]): Headers {
  return [
    'ratelimit-policy',
    limits.map(({ name, allowance }) => policyOf(name, allowance)).join(', '),
    'ratelimit',
    limits.map(({ name, verdict }) => stateOf(name, verdict)).join(', '),
  ];
}

const policies = new WeakMap<Allowance, string>();

function policyOf(name: string, allowance: Allowance): string {
  let text = policies.get(allowance);
  if (text === undefined) {
    text = `"${name}";q=${allowance.count};w=${Math.ceil(allowance.per / 1000)}`;
    policies.set(allowance, text);
  }
  return text;
}

function stateOf(name: string, { remaining, wait, full }: Verdict): string {
  const until = remaining === 0 ? wait : full;
  return `"${name}";r=${remaining};t=${Math.ceil(until / 1000)}`;
}
