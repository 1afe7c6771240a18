import {
  ExchangeVariables,
  errorScope,
  extendScope,
  ResponseVariables,
  type Scope,
  type Variables,
} from '../expression/index.ts';
import type { Exchange, Reply } from '../http/exchange.ts';

/** The variables of expressions for an exchange, and its answer once there is one. */
export function variables(exchange: Exchange, answer?: Reply): Variables {
  const request = requestVariables(exchange);
  return answer === undefined ? request : new ResponseVariables(request, answer);
}

/** Made once for an exchange. */
export function requestVariables(exchange: Exchange): ExchangeVariables {
  exchange.variables ??= new ExchangeVariables(exchange);
  return exchange.variables as ExchangeVariables;
}

/** A scope with `error` beside what it has. */
export function errorScopeOf(scope: Scope): Scope {
  return extendScope(scope, { error: errorScope.variables.get('error')! });
}
