/** What `auth` and the guards of routes compile from; part of the model, and imported through it. */
import type { Expression, Template, UpstreamTlsConfig } from './model.ts';

export type ProviderConfig =
  | ApiKeyProviderConfig
  | BasicProviderConfig
  | MtlsProviderConfig
  | IntrospectionConfig
  | JwtConfig
  | ForwardConfig;

/** Where in a request a credential stands. Names of headers are in lower case. */
export interface CredentialPlaceConfig {
  in: 'header' | 'query' | 'cookie';
  name: string;
}

/** What every provider takes. */
export interface ProviderCommon {
  name: string;
  /** Null: where credentials of its kind usually stand. */
  from: CredentialPlaceConfig[] | null;
  /** A credential in a cookie counts for unsafe requests of other origins too. */
  crossSite: boolean;
  /** Null, here and below: the default of its kind. */
  subject: Template | null;
  permissions: Template | null;
  claims: Record<string, Template>;
  /** Which tags, beside `subject:` and `token:`, revoke a decision. */
  tags: Template[];
}

export interface ApiKeyProviderConfig extends ProviderCommon {
  kind: 'apiKey';
  keys: ApiKeyConfig[];
}

/** The certificate itself is the listener's to check. */
export interface MtlsProviderConfig extends ProviderCommon {
  kind: 'mtls';
}

export interface BasicProviderConfig extends ProviderCommon {
  kind: 'basic';
  realm: string;
  users: BasicUserConfig[];
}

export interface BasicUserConfig {
  name: string;
  /** A hash of argon2id or bcrypt; or, from the environment, the password itself. */
  password: string;
  permissions: string[];
  scopes: string[];
  claims: Record<string, unknown>;
}

export interface ApiKeyConfig {
  /** SHA-256 of the key, 64 hexadecimal digits in lower case. */
  hash: string;
  subject: string | null;
  permissions: string[];
  scopes: string[];
  claims: Record<string, unknown>;
}

/** How the gateway shows the auth server who it is (RFC 6749 §2.3, RFC 7523, RFC 8705). */
export type ClientAuthConfig =
  | { kind: 'basic' | 'post'; clientId: string; clientSecret: string }
  /** `privateKey`: PEM, PKCS #8. */
  | { kind: 'privateKeyJwt'; clientId: string; privateKey: string; keyId: string | null }
  | { kind: 'mtls'; clientId: string };

export interface IntrospectionConfig extends ProviderCommon {
  kind: 'introspection';
  endpoint: string;
  clientAuth: ClientAuthConfig;
  tls: UpstreamTlsConfig;
  /** Milliseconds a decision is kept; 0: none is. */
  cache: number;
  timeout: number;
  /** Milliseconds past its time in which an accepted decision still counts while the server fails. */
  staleIfError: number;
  /** Accepted decisions stand in Redis too, for all nodes. */
  sharesDecisions: boolean;
}

export interface JwtConfig extends ProviderCommon {
  kind: 'jwt';
  keys:
    | { kind: 'discovery' }
    | { kind: 'url'; url: string }
    /** The text of a JWK set. */
    | { kind: 'file'; text: string }
    | { kind: 'secret'; secret: string };
  /** Null: any. */
  issuer: string | null;
  /** Empty: any. */
  audience: string[];
  algorithms: string[];
  /** Lower case, without `application/`; null: what access tokens usually say. */
  typ: string | null;
  /** Milliseconds that clocks may differ. */
  skew: number;
  tls: UpstreamTlsConfig;
  timeout: number;
  allowHttp: boolean;
}

export interface ForwardConfig extends ProviderCommon {
  kind: 'forward';
  /** Scheme, host and port. */
  server: string;
  /** Path and query, filled in of each request. */
  path: string;
  /** Lower case, as those below. */
  requestHeaders: string[];
  responseHeaders: string[];
  clientHeaders: string[];
  /** Milliseconds; 0: not kept. `key` null: headers, method, host, path and query. */
  cache: { accept: number; refuse: number; key: Expression | null };
  /** Accepted decisions stand in Redis too, for all nodes. */
  sharesDecisions: boolean;
  timeout: number;
  tls: UpstreamTlsConfig;
}

/** The gateway's own credential for a service (RFC 6749 §4.4). */
export interface ClientCredentialsConfig {
  tokenEndpoint: string;
  clientId: string;
  clientSecret: string;
  clientAuth: 'basic' | 'post';
  /** Separated by spaces; null: none is asked for. */
  scope: string | null;
  /** Further parameters of the request for a token. */
  params: Record<string, string>;
  timeout: number;
  tls: UpstreamTlsConfig;
}

/** Who may use a route. */
export interface RouteAuthConfig {
  /** Names of providers, in the order they are asked; empty: nobody is asked who they are. */
  providers: string[];
  /** CEL; or a policy, by its name. */
  allow: Expression | null;
  /** The name of the policy that `allow` is. */
  policy: string | null;
  permissions: string[];
  scopes: string[];
  /** What `allow`, `permissions` and `scopes` would refuse is only told. */
  report: boolean;
  optional: boolean;
  passToken: boolean;
  forwardAs: 'jwt' | null;
  /** Outside decision points, and what is looked at in the answer; null: none. */
  opa: OpaConfig | null;
  authzen: AuthzenConfig | null;
  allowResponse: Expression | null;
}

/** What every decision point takes. */
export interface DecisionPointConfig {
  url: string;
  /** Milliseconds a decision is kept; 0: none is. */
  cache: number;
  timeout: number;
  tls: UpstreamTlsConfig;
}

export interface OpaConfig extends DecisionPointConfig {
  /** CEL; null: the request, its parameters and who asks. */
  input: Expression | null;
}

export interface AuthzenConfig extends DecisionPointConfig {
  /** Without a final slash. */
  url: string;
  /** One: an evaluation; several: all must be allowed. */
  evaluations: AuthzenEvaluationConfig[];
}

/** Templates; null: the method, the route's name and the path. */
export interface AuthzenEvaluationConfig {
  action: Template | null;
  resourceType: Template | null;
  resourceId: Template | null;
}
