/** Where Redis is and how to speak to it, as the model of the config has it. */
export interface RedisConfig {
  readonly kind: 'single' | 'cluster' | 'sentinels';
  /** The one server, nodes of the cluster to begin with, or the sentinels. */
  readonly endpoints: readonly RedisEndpoint[];
  /** What the sentinels call the primary; null without sentinels. */
  readonly name: string | null;
  /** Milliseconds that any one call may last. */
  readonly commandTimeout: number;
  /** Null: without TLS. */
  readonly tls: RedisTls | null;
}

export interface RedisEndpoint {
  readonly host: string;
  readonly port: number;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
}

export interface RedisTls {
  /** PEM text. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly serverName: string | null;
  readonly verify: boolean;
}

/** For people: addresses alone, never a user or a password. */
export function addressOf({ endpoints, name }: RedisConfig): string {
  const hosts = endpoints.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`);
  return name === null ? hosts.join(', ') : `${name} at ${hosts.join(', ')}`;
}
