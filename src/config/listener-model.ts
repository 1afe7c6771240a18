/** What `listen` and `admin` compile from; part of the model, and imported through it. */

export interface ListenerConfig {
  name: string;
  host: string;
  port: number;
  tls: ListenerTls | null;
  http2: boolean;
  /** Addresses and CIDR ranges whose forwarded headers are believed. */
  trustedProxies: string[];
  limits: ListenerLimits;
}

export interface ListenerTls {
  /** PEM text, read from the files the config names. The first is used where the client names no host. */
  certificates: { cert: string; key: string }[];
  /** The gateway gets its certificates by itself; null: it does not. */
  acme: AcmeConfig | null;
  minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Whose certificates clients may show (PEM text); null: they are not asked for any. */
  client: { ca: string; required: boolean } | null;
}

/** Certificates of an authority that speaks ACME (RFC 8555). */
export interface AcmeConfig {
  email: string;
  /** In lower case; each gets a certificate of its own. */
  hosts: string[];
  /** URL at which the authority tells where it is asked for what. */
  directory: string;
  /** Folder of the account's key and the certificates, absolute. */
  storage: string;
  challenge: 'http-01' | 'tls-alpn-01';
  /** Whom to believe that it is the authority (PEM text); null: as everybody does. */
  ca: string | null;
  /** Ties the account to one that the authority keeps elsewhere; null: nothing does. */
  eab: { kid: string; key: string } | null;
}

/** Bytes and milliseconds; Infinity for none. */
export interface ListenerLimits {
  uri: number;
  head: number;
  headers: number;
  body: number;
  headTimeout: number;
  bodyTimeout: number;
  sendTimeout: number;
  /** Bytes a second, over 10 s; 0 for none. */
  minRate: number;
  idleTimeout: number;
  connectionsPerClient: number;
}

export interface AdminConfig {
  host: string;
  port: number;
  /** Needed unless the address is loopback. */
  token: string | null;
  hosts: string[];
  tls: ListenerTls | null;
  /** Where the main listeners tell whether the node is ready; null: they do not. */
  readyPath: string | null;
}
