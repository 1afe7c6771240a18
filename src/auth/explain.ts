import type { Expression, RouteAuthConfig } from '../config/model.ts';
import type { Exchange } from '../http/exchange.ts';
import type { CompiledAuth } from './compiled-auth.ts';
import { AMBIGUOUS, type Identity } from './contract.ts';
import { Guard, standsTwice } from './guard.ts';
import { isSameOrigin } from './origin.ts';

/** What auth would do with a request, as far as can be said without asking anybody. */
export interface ExplainedAuth {
  /** Providers, in the order they are asked. */
  with: string[];
  optional: boolean;
  /** The provider that recognises what the request shows; null: none does. */
  provider: string | null;
  /** Where its credential stands, as in `header authorization`; null: nowhere. */
  place: string | null;
  /** In words: what happens. Never shows a credential. */
  says: string;
  /** What whoever asks must be allowed. */
  asks: string[];
  /** Where it is certain already: 400, 401 or 403; null: it passes, or that is found out by asking. */
  status: number | null;
}

/** Null for a route that is open to everyone. The exchange must be located; it is changed as a guard would. */
export function explainAuth(
  config: RouteAuthConfig | null,
  auth: CompiledAuth,
  scope: Parameters<CompiledAuth['filters']>[1],
  exchange: Exchange,
): ExplainedAuth | null {
  if (config === null) return null;
  const filters = auth.filters(config, scope);
  const guard = filters.find((filter) => filter instanceof Guard);
  const permit = auth.permit(config, scope);
  const found = guard === undefined ? NOBODY : recognised(guard, config, exchange);
  guard?.conceal(exchange);
  const sure = found.status === null && found.certain;
  const answer = sure && permit !== null ? permit.run(exchange) : null;
  const forbidden = answer !== null && !(answer instanceof Promise) ? answer.status : null;
  const unseen = sure && config.allowResponse !== null && exchange.method !== 'GET' ? 403 : null;
  const says = [found.says];
  if (forbidden !== null) says.push(config.report ? ON_TRIAL : NOT_ALLOWED);
  if (unseen !== null && (forbidden === null || config.report)) says.push(UNSEEN);
  return {
    with: [...config.providers],
    optional: config.optional,
    provider: found.provider,
    place: found.place,
    says: says.join('; '),
    asks: rulesOf(config),
    status: found.status ?? (config.report ? null : forbidden) ?? unseen,
  };
}

const NOT_ALLOWED = 'it is not allowed: 403';
const ON_TRIAL = 'it would not be allowed, but the rule is on trial (report)';
const UNSEEN = 'allowResponse lets GET alone pass: 403';

interface Found {
  provider: string | null;
  place: string | null;
  says: string;
  status: number | null;
  /** Who asks is known, so what they may can be said. */
  certain: boolean;
}

const NOBODY: Found = {
  provider: null,
  place: null,
  says: 'nobody is asked who they are',
  status: null,
  certain: true,
};

function recognised(guard: Guard, config: RouteAuthConfig, exchange: Exchange): Found {
  if (standsTwice(exchange.headers))
    return { ...NOBODY, says: 'two Authorization headers: 400', status: 400, certain: false };
  for (const provider of guard.providers) {
    if (config.optional && !provider.isAddressed(exchange)) continue;
    const credential = provider.recognises(exchange);
    if (credential === null) continue;
    const base = { provider: provider.name, place: null, certain: false };
    if (credential === AMBIGUOUS)
      return { ...base, says: 'a credential stands there twice: 400', status: 400 };
    const place = `${credential.place.in} ${credential.place.name}`;
    if (credential.place.in === 'cookie' && !provider.crossSite && !isSameOrigin(exchange))
      return {
        ...base,
        place,
        says: 'the cookie counts only with the Origin of this host: 403',
        status: 403,
      };
    if (provider.kind !== 'apiKey') return { ...base, place, says: provider.describe(), status: null };
    const decision = provider.authenticate(credential, exchange, [], null);
    if (decision instanceof Promise || decision.kind !== 'allowed')
      return { ...base, place, says: 'no such key is known: 401', status: 401 };
    exchange.identity = decision.identity;
    return { ...base, place, says: `it is ${nameOf(decision.identity)}`, status: null, certain: true };
  }
  const none = { provider: null, place: null, certain: false };
  if (guard.providers.some((provider) => provider.isAddressed(exchange)))
    return { ...none, says: 'no provider recognises the credential: 401', status: 401 };
  if (config.optional) return { ...none, says: 'it passes as nobody', status: null, certain: true };
  return { ...none, says: 'there is no credential: 401', status: 401 };
}

const nameOf = ({ subject }: Identity): string => (subject === null ? 'known, without a subject' : subject);

function rulesOf(config: RouteAuthConfig): string[] {
  const { allow, policy, permissions, scopes, opa, authzen, allowResponse } = config;
  const rules: string[] = [];
  if (permissions.length > 0) rules.push(`permissions ${permissions.join(', ')}`);
  if (scopes.length > 0) rules.push(`scopes ${scopes.join(', ')}`);
  if (policy !== null) rules.push(`the policy ${policy}`);
  else if (allow !== null) rules.push(textOf(allow));
  if (opa !== null) rules.push(`the leave of opa (${new URL(opa.url).origin})`);
  if (authzen !== null) rules.push(`the leave of authzen (${new URL(authzen.url).origin})`);
  if (allowResponse !== null) rules.push(`${textOf(allowResponse)}, of the answer`);
  return rules;
}

const textOf = (rule: Expression): string => (typeof rule === 'string' ? rule : '(a function)');
