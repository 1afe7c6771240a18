import { isIP } from 'node:net';
import type { DiscoverConfig, TargetConfig } from '../config/model.ts';
import { usualPort } from '../util/service-scheme.ts';

/** `host[:port]`, the port where it is not the scheme's usual one; a Unix socket is on this machine. */
export function targetAuthority({
  scheme,
  host,
  port,
}: Pick<TargetConfig, 'scheme' | 'host' | 'port'>): string {
  if (scheme === 'unix') return 'localhost';
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return port === usualPort(scheme) ? name : `${name}:${port}`;
}

/** What a target is called in logs and between processes: `http://host:port/path`, or `unix:/path`. */
export function targetName(target: Pick<TargetConfig, 'scheme' | 'host' | 'port' | 'path'>): string {
  if (target.scheme === 'unix') return `unix:${target.host}`;
  return `${target.scheme}://${targetAuthority(target)}${target.path}`;
}

/** The name by which a target's Host and certificate go: an address that a name of DNS stands for has that name. */
export function askedAs(discover: DiscoverConfig | null, host: string): string {
  return discover?.kind === 'dns' && discover.type === 'A' ? discover.name : host;
}
