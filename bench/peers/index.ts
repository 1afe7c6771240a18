import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import { fastifyProxy, httpProxy3, undiciProxy } from './node-proxies.ts';
import type { Peer } from './peer.ts';
import { tidegate } from './tidegate.ts';

export { cachingNginx, cachingTidegate, cachingVarnish } from './caching.ts';
export { nginx, nginxCommand } from './nginx.ts';
export type { Peer, PeerSetup } from './peer.ts';
export { tidegateCommand } from './tidegate.ts';

const ALL: readonly Peer[] = [tidegate, nginx, haproxy, undiciProxy, fastifyProxy, httpProxy3];

/**
 * Those of the named peers (all, where none are named) that can run here, tidegate first; says of each
 * other one what to install.
 */
export function availablePeers(
  wanted: readonly string[] | null,
  among: readonly string[] | null = null,
): Peer[] {
  const unknown = wanted?.filter((name) => !ALL.some((peer) => peer.name === name)) ?? [];
  if (unknown.length > 0) {
    throw new Error(`no peer ${unknown.join(', ')}; there are ${ALL.map((peer) => peer.name).join(', ')}`);
  }
  return ALL.filter((peer) => {
    if (wanted !== null && !wanted.includes(peer.name)) return false;
    if (among !== null && !among.includes(peer.name)) return false;
    const missing = peer.missing();
    if (missing !== null) console.log(`  ${peer.name} is left out: ${missing}`);
    return missing === null;
  });
}
