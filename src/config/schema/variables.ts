/**
 * What a function in a TypeScript config is called with: the same variables that an expression sees,
 * as plain objects.
 */
export interface RequestVariables {
  readonly request: RequestView;
  /** Path parameters, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly auth: AuthView;
}

export interface ResponseVariables extends RequestVariables {
  readonly response: ResponseView;
}

export interface RequestView {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly scheme: string;
  /** The client's address. */
  readonly ip: string;
  /** The whole URL, as the client asked. */
  readonly url: string;
  readonly id: string;
  /** By lower-case name; several lines are joined by `, `. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The first value of each. */
  readonly query: Readonly<Record<string, string | undefined>>;
  /** All values of each. */
  readonly queries: Readonly<Record<string, readonly string[] | undefined>>;
  readonly cookies: Readonly<Record<string, string | undefined>>;
  /** The JSON of the body. */
  readonly body?: unknown;
}

export interface AuthView {
  readonly subject?: string;
  readonly permissions: readonly string[];
  readonly scopes: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
  readonly provider?: string;
}

export interface ResponseView {
  readonly status: number;
  /** By lower-case name; `set-cookie` is always a list. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: unknown;
}

/**
 * Inside an aggregate: each call's result under its name, an item under what `as` calls it, `items`, `part`,
 * `response` and `error` where they stand. What is in a service's answer no compiler knows.
 */
export interface CallVariables extends RequestVariables {
  // biome-ignore lint/suspicious/noExplicitAny: the shape of a service's JSON is not known here
  readonly [name: string]: any;
}
