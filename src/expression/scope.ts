import { DOUBLE, DYN, INT, listOf, type MapType, mapOf, recordOf, STRING, type Type } from './types.ts';

/** The variables that stand at a place of the config, with their types. */
export interface Scope {
  readonly variables: ReadonlyMap<string, Type>;
  /** Path parameters that stand for several segments: `*`, and those written `{name*}`. */
  readonly restParams: ReadonlySet<string>;
}

const TEXTS = mapOf(STRING, STRING);
const HEADERS: MapType = {
  kind: 'map',
  key: STRING,
  value: STRING,
  members: { 'set-cookie': listOf(STRING) },
  lowerCase: true,
};

const REQUEST = recordOf({
  method: STRING,
  path: STRING,
  host: STRING,
  scheme: STRING,
  ip: STRING,
  url: STRING,
  id: STRING,
  headers: HEADERS,
  query: TEXTS,
  cookies: TEXTS,
  queries: mapOf(STRING, listOf(STRING)),
  body: DYN,
});
const AUTH = recordOf({
  subject: STRING,
  permissions: listOf(STRING),
  scopes: listOf(STRING),
  claims: mapOf(STRING, DYN),
  provider: STRING,
});
const RESPONSE = recordOf({ status: INT, headers: HEADERS, body: DYN });
const ERROR = recordOf({ status: INT, title: STRING, code: STRING, detail: STRING });
const CALL = recordOf({ status: INT, headers: HEADERS, body: DYN });

/** `request`, `params`, `auth`. */
export const requestScope: Scope = {
  variables: new Map<string, Type>([
    ['request', REQUEST],
    ['params', TEXTS],
    ['auth', AUTH],
  ]),
  restParams: new Set(['*']),
};

/** What stands where an answer is at hand: `response` too. */
export const responseScope: Scope = extendScope(requestScope, { response: RESPONSE });

/** In the access log: what became of a request. */
export const logScope: Scope = extendScope(requestScope, {
  response: recordOf({
    status: INT,
    headers: HEADERS,
    bytes: INT,
    duration: DOUBLE,
    target: STRING,
    detail: STRING,
  }),
});

/** In a provider's templates: what is known of a credential, and what was answered about it. */
export const identityScope: Scope = {
  variables: new Map<string, Type>([
    ['claims', mapOf(STRING, DYN)],
    ['response', RESPONSE],
  ]),
  restParams: new Set(),
};

/** Where something failed: `error` too. */
export const errorScope: Scope = extendScope(requestScope, { error: ERROR });

/** A scope with further variables; one of the same name is replaced. */
export function extendScope(scope: Scope, variables: Readonly<Record<string, Type>>): Scope {
  return { ...scope, variables: new Map([...scope.variables, ...Object.entries(variables)]) };
}

/**
 * The scope of a route whose paths have just these parameters, so that a misspelt one is found. `rest` are
 * those that stand for several segments.
 */
export function routeScope(scope: Scope, params: readonly string[], rest: readonly string[]): Scope {
  const members = Object.fromEntries([...params, ...rest].map((name) => [name, STRING]));
  const withParams = extendScope(scope, { params: recordOf(members) });
  return { ...withParams, restParams: new Set(['*', ...rest]) };
}

/** Inside an aggregate: each call's result under its name, a list of them for an `each`. */
export function callScope(
  calls: Readonly<Record<string, 'one' | 'each'>>,
  scope: Scope = requestScope,
): Scope {
  const types = Object.entries(calls).map(([name, kind]) => [name, kind === 'each' ? listOf(CALL) : CALL]);
  return extendScope(scope, Object.fromEntries(types));
}
