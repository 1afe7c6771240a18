import type { RouteAuthConfig } from '../config/model.ts';
import {
  compileExpression,
  EvaluationFailure,
  type ExchangeVariables,
  readsPartOf,
  type Scope,
} from '../expression/index.ts';
import { Failure } from '../http/errors.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import type { Filter } from '../pipeline/index.ts';
import { addChallenges, TOKEN_SCHEMES } from './challenge.ts';
import type { Challenge, Identity, Provider } from './contract.ts';
import { DPOP_CHALLENGE, refuse } from './guard.ts';
import { withNamedSubject } from './named-subject.ts';

export type VariablesOf = (exchange: Exchange) => ExchangeVariables;
/** Null: allowed; else why not, for the log. */
type Rule = (exchange: Exchange, identity: Identity | null) => string | null;

/** Told of what a rule on trial would refuse, and why. */
export type Tell = (exchange: Exchange, why: string) => void;

/**
 * What whoever asks must be allowed: all permissions, all scopes, and `allow`. Null where a route asks for
 * nothing but a credential.
 *
 * @throws ExpressionError
 */
export function compilePermit(
  { allow, policy, permissions, scopes, report: onTrial }: RouteAuthConfig,
  providers: readonly Provider[],
  scope: Scope,
  variables: VariablesOf,
  tell: Tell,
): Filter | null {
  const rules: Rule[] = [];
  const report = onTrial ? tell : null;
  if (permissions.length > 0) rules.push(holdsAll(permissions, 'permission', (who) => who.permissions));
  if (scopes.length > 0) rules.push(holdsAll(scopes, 'scope', (who) => who.scopes));
  if (allow !== null) {
    const program = compileExpression(allow, scope, { expects: 'bool' });
    const plain = !readsPartOf(program.mentions, 'request');
    const name = policy ?? 'allow';
    rules.push((exchange) => {
      const vars = plain ? variables(exchange) : variables(exchange).strict();
      return holds(() => program.evaluate(typeof allow === 'string' ? vars : withNamedSubject(vars)), name);
    });
  }
  if (rules.length === 0) return null;
  const challenges = new Map(providers.map((provider) => [provider.name, provider.challenge]));
  return {
    phase: 'authorize',
    run(exchange) {
      const identity = exchange.identity as Identity | null;
      for (const rule of rules) {
        const why = rule(exchange, identity);
        if (why === null) continue;
        if (report !== null) {
          report(exchange, why);
          continue;
        }
        // RFC 9449 §7.1: who shows a token that is bound to a key is answered in the scheme that it was shown by.
        const challenge =
          identity?.boundTo?.key == null ? challenges.get(identity?.provider ?? '') : DPOP_CHALLENGE;
        return forbid(exchange, why, challenge, scopes);
      }
      return null;
    },
  };
}

function holdsAll(
  wanted: readonly string[],
  what: string,
  held: (identity: Identity) => readonly string[],
): Rule {
  return (_exchange, identity) => {
    const having = identity === null ? [] : held(identity);
    const missing = wanted.find((one) => !having.includes(one));
    return missing === undefined ? null : `the ${what} ${missing} is missing`;
  };
}

/** What can't be evaluated, or isn't true, is a refusal. */
function holds(evaluate: () => unknown, name: string): string | null {
  try {
    return evaluate() === true ? null : `${name} is false`;
  } catch (error) {
    if (error instanceof EvaluationFailure) return `${name} failed: ${error.message}`;
    throw error;
  }
}

/** RFC 6750 §3.1: a bearer of a token learns that it is the token's reach that is too short. */
function forbid(
  exchange: Exchange,
  why: string,
  challenge: Challenge | undefined,
  scopes: readonly string[],
): Reply {
  const answer = refuse(exchange, new Failure('TG_AUTH_FORBIDDEN', why));
  if (challenge !== undefined && TOKEN_SCHEMES.has(challenge.scheme))
    addChallenges(answer.headers, [challenge], { error: 'insufficient_scope', scopes });
  return answer;
}
