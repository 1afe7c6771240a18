import type { Exchange, Params } from '../http/exchange.ts';
import { getJoined, type Headers } from '../http/headers.ts';
import { FirstValues, HeaderFields, readCookies, readQuery } from './request-fields.ts';
import type { Fields, Value, Variables } from './value.ts';

/** Names what the match's rest stands for as it stands in the path, encoded; no expression can be spelled so. */
export const ENCODED_REST = 'params[*], encoded';

/** Who asks, as the authentication found. */
export interface Identity {
  readonly subject: string | null;
  readonly permissions: readonly string[];
  readonly scopes: readonly string[];
  /** Header lines by which services know it, too; expressions don't. */
  readonly toService?: readonly string[];
  readonly claims: ReadonlyMap<Value, Value>;
  readonly provider: string | null;
}

export interface ExchangeOptions {
  /**
   * For keys and guards: reading a header, query parameter or cookie that stands twice fails, since a service
   * might take the other one.
   */
  readonly strict?: boolean;
}

/**
 * `request`, `params` and `auth` of one exchange. Nothing is computed before it is asked for; what was
 * computed is kept, so make one for an exchange, once its path and query are set.
 */
export class ExchangeVariables implements Variables {
  private readonly exchange: Exchange;
  private readonly request: RequestFields;
  private auth: AuthFields | null = null;
  private strictOnes: ExchangeVariables | null = null;

  constructor(exchange: Exchange, options: ExchangeOptions = {}) {
    this.exchange = exchange;
    this.request = new RequestFields(exchange, options.strict ?? false);
  }

  /** Who asks; null: nobody in particular, or not known yet. */
  get identity(): Identity | null {
    return this.exchange.identity as Identity | null;
  }

  /** The same for keys and guards: reading what stands twice fails. */
  strict(): ExchangeVariables {
    this.strictOnes ??= new ExchangeVariables(this.exchange, { strict: true });
    this.strictOnes.body = this.request.body;
    return this.strictOnes;
  }

  /** The JSON of the request's body, once it was read; until then `request.body` is absent. */
  set body(value: Value | undefined) {
    this.request.body = value;
  }

  get(name: string): Value | undefined {
    switch (name) {
      case 'request':
        return this.request;
      case 'params':
        return this.request.params;
      case 'auth':
        return this.authFields();
      case ENCODED_REST:
        return this.encodedRest();
      default:
        return undefined;
    }
  }

  private encodedRest(): string | undefined {
    const { path, restAt } = this.exchange;
    return restAt < 0 ? undefined : path.slice(restAt).replace(/^\//, '');
  }

  /** Who asks may have been found out since it was last read. */
  private authFields(): AuthFields {
    const { identity } = this;
    if (this.auth === null || this.auth.identity !== identity) this.auth = new AuthFields(identity);
    return this.auth;
  }
}

class RequestFields implements Fields {
  body: Value | undefined;
  private readonly exchange: Exchange;
  private readonly strict: boolean;
  private headers: HeaderFields | null = null;
  private queries: Map<Value, Value> | null = null;
  private queriesOf: string | null = null;
  private query: FirstValues | null = null;
  private cookies: FirstValues | null = null;
  private cookiesOf: string | undefined;
  private parameters: Fields | null = null;
  private parametersOf: Params | null = null;

  constructor(exchange: Exchange, strict: boolean) {
    this.exchange = exchange;
    this.strict = strict;
  }

  /** Those of one path after another, while a route is looked for. */
  get params(): Fields {
    const { params } = this.exchange;
    if (this.parameters === null || this.parametersOf !== params) {
      this.parametersOf = params;
      this.parameters = recordFields(params);
    }
    return this.parameters;
  }

  get(name: string): Value | undefined {
    const { exchange } = this;
    switch (name) {
      case 'method':
        return exchange.method;
      case 'path':
        return exchange.path;
      case 'host':
        return exchange.host;
      case 'scheme':
        return exchange.scheme;
      case 'ip':
        return exchange.ip;
      case 'url':
        return `${exchange.scheme}://${exchange.askedAuthority}${exchange.shownTarget ?? exchange.target}`;
      case 'id':
        return exchange.id;
      case 'headers':
        this.headers ??= new HeaderFields(exchange.headers, this.strict);
        return this.headers;
      case 'query':
        return this.firstQueries();
      case 'queries':
        return this.allQueries();
      case 'cookies':
        return this.firstCookies();
      case 'body':
        return this.body;
      default:
        return undefined;
    }
  }

  *entries(): Iterable<[string, Value]> {
    for (const name of REQUEST_MEMBERS) {
      const value = this.get(name);
      if (value !== undefined) yield [name, value];
    }
  }

  // A match may read them before a credential is taken off the request: then they are read anew.

  private allQueries(): Map<Value, Value> {
    const { query } = this.exchange;
    if (this.queries === null || this.queriesOf !== query) {
      this.queries = readQuery(query) as Map<Value, Value>;
      this.queriesOf = query;
      this.query = null;
    }
    return this.queries;
  }

  private firstQueries(): FirstValues {
    const all = this.allQueries();
    this.query ??= new FirstValues(all, this.strict, 'query parameter');
    return this.query;
  }

  private firstCookies(): FirstValues {
    const { headers } = this.exchange;
    const lines = getJoined(headers, 'cookie');
    if (this.cookies === null || this.cookiesOf !== lines) {
      this.cookies = new FirstValues(readCookies(headers), this.strict, 'cookie');
      this.cookiesOf = lines;
    }
    return this.cookies;
  }
}

const REQUEST_MEMBERS = [
  'method',
  'path',
  'host',
  'scheme',
  'ip',
  'url',
  'id',
  'headers',
  'query',
  'queries',
  'cookies',
  'body',
];

/** Reading an absent subject or provider fails: nobody is equal to nobody. */
class AuthFields implements Fields {
  readonly identity: Identity | null;

  constructor(identity: Identity | null) {
    this.identity = identity;
  }

  get(name: string): Value | undefined {
    const { identity } = this;
    switch (name) {
      case 'subject':
        return identity?.subject ?? undefined;
      case 'permissions':
        return identity?.permissions ?? [];
      case 'scopes':
        return identity?.scopes ?? [];
      case 'claims':
        return identity?.claims ?? NO_CLAIMS;
      case 'provider':
        return identity?.provider ?? undefined;
      default:
        return undefined;
    }
  }

  *entries(): Iterable<[string, Value]> {
    for (const name of AUTH_MEMBERS) {
      const value = this.get(name);
      if (value !== undefined) yield [name, value];
    }
  }
}

const AUTH_MEMBERS = ['subject', 'permissions', 'scopes', 'claims', 'provider'];
const NO_CLAIMS: ReadonlyMap<Value, Value> = new Map();

/** Variables with further ones before them. */
export class LayeredVariables implements Variables {
  private readonly below: Variables;
  private readonly own: Readonly<Record<string, Value>>;

  constructor(below: Variables, own: Readonly<Record<string, Value>>) {
    this.below = below;
    this.own = own;
  }

  get(name: string): Value | undefined {
    return Object.hasOwn(this.own, name) ? this.own[name] : this.below.get(name);
  }
}

/** `response` beside the variables of the request. */
export class ResponseVariables implements Variables {
  private readonly below: Variables;
  private readonly response: ResponseFields;

  constructor(
    below: Variables,
    answer: { readonly status: number; readonly headers: Headers },
    body?: Value,
  ) {
    this.below = below;
    this.response = new ResponseFields(answer.status, answer.headers, body);
  }

  get(name: string): Value | undefined {
    return name === 'response' ? this.response : this.below.get(name);
  }
}

/** An answer as expressions see it. */
export class ResponseFields implements Fields {
  private readonly status: number;
  private readonly lines: Headers;
  private readonly body: Value | undefined;
  private headers: HeaderFields | null = null;

  constructor(status: number, headers: Headers, body: Value | undefined) {
    this.status = status;
    this.lines = headers;
    this.body = body;
  }

  get(name: string): Value | undefined {
    switch (name) {
      case 'status':
        return BigInt(this.status);
      case 'headers':
        this.headers ??= new HeaderFields(this.lines, false);
        return this.headers;
      case 'body':
        return this.body;
      default:
        return undefined;
    }
  }

  *entries(): Iterable<[string, Value]> {
    for (const name of ['status', 'headers', 'body']) {
      const value = this.get(name);
      if (value !== undefined) yield [name, value];
    }
  }
}

/** `error` beside other variables. */
export function errorVariables(
  below: Variables,
  error: { readonly status: number; readonly title: string; readonly code: string; readonly detail: string },
): Variables {
  const { status, title, code, detail } = error;
  return new LayeredVariables(below, {
    error: recordFields({ status: BigInt(status), title, code, detail }),
  });
}

/** A plain record as fields; only its own members are any. */
export function recordFields(record: Readonly<Record<string, Value>>): Fields {
  return {
    get: (name) => (Object.hasOwn(record, name) ? record[name] : undefined),
    entries: () => Object.entries(record),
  };
}
