import type { DestinationConfig } from '../config/model.ts';
import { compilePath, type PathTemplate, type Scope, type Variables } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import { filterQuery, joinQuery, parameterNames } from './query.ts';

/**
 * Gives the request target, path and query, that a service is sent for an exchange. The path of a service's
 * `url` stands before it: `target.path + destination(exchange, vars)`.
 *
 * Throws an EvaluationFailure where a value can't stand in the path or query; `failureOf` says what follows.
 */
export type Destination = (exchange: Exchange, vars: Variables) => string;

const SLASH = 47;

/**
 * Compiles `to.path`. Without one, and where nothing in it depends on the request, no template is evaluated.
 *
 * @param only Decoded names of the client's query parameters that pass (`request.query.only`); null: all.
 * @throws ExpressionError
 */
export function compileDestination(
  config: Pick<DestinationConfig, 'path'>,
  scope: Scope,
  only: ReadonlySet<string> | null = null,
): Destination {
  if (config.path === null) {
    return only === null ? asItCame : (exchange) => join(exchange.path, filterQuery(exchange.query, only));
  }
  const template = compilePath(config.path, scope);
  return template.constant === null ? filled(template, only) : fixed(template, only);
}

function asItCame(exchange: Exchange): string {
  return join(exchange.path, exchange.query);
}

/** A path without expressions: `/products`, `/api/*`. */
function fixed(template: PathTemplate, only: ReadonlySet<string> | null): Destination {
  const { path, query } = template.render(NO_VARIABLES);
  const names = query === null ? null : parameterNames(query);
  if (query === null && only === null) {
    if (!template.endsWithRest) return (exchange) => join(path, exchange.query);
    const before = withoutFinalSlash(path);
    return (exchange) => join(takeOver(before, exchange), exchange.query);
  }
  return (exchange) => {
    const whole = template.endsWithRest ? takeOver(withoutFinalSlash(path), exchange) : path;
    return join(whole, joinQuery(query, passing(exchange.query, only), names));
  };
}

function filled(template: PathTemplate, only: ReadonlySet<string> | null): Destination {
  return (exchange, vars) => {
    const { path, query } = template.render(vars);
    const whole = template.endsWithRest ? takeOver(withoutFinalSlash(path), exchange) : path;
    return join(whole, joinQuery(query, passing(exchange.query, only)));
  };
}

function passing(query: string | null, only: ReadonlySet<string> | null): string | null {
  return only === null ? query : filterQuery(query, only);
}

function join(path: string, query: string | null): string {
  return query === null ? path : `${path}?${query}`;
}

function withoutFinalSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/** `before` and what the match's rest stood for; at least a slash. */
function takeOver(before: string, exchange: Exchange): string {
  const whole = before + restOf(exchange);
  return whole === '' ? '/' : whole;
}

/**
 * What the match's `/*` or `{name*}` stood for, byte for byte as normalised, with its leading slash: of
 * `/c/*` it is nothing for `/c`, `/` for `/c/`, `/x` for `/c/x`.
 */
export function restOf(exchange: Exchange): string {
  const { path, restAt } = exchange;
  if (restAt < 0) return '';
  const from = restAt > 0 && path.charCodeAt(restAt - 1) === SLASH ? restAt - 1 : restAt;
  const rest = path.slice(from);
  return rest === '' || rest.charCodeAt(0) === SLASH ? rest : `/${rest}`;
}

/** For what mentions no variable. */
export const NO_VARIABLES: Variables = { get: () => undefined };
