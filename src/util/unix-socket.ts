/** Unix sockets, where a host would be: the path of one begins with a slash, which no host does. */

/** The longest path that Linux takes (`sun_path` without its end), in bytes. */
export const LONGEST_SOCKET_PATH = 107;

export function isSocketPath(host: string): boolean {
  return host.startsWith('/');
}

/** Where to connect, as `net.connect` takes it. */
export function connectPlace(host: string, port: number): { path: string } | { host: string; port: number } {
  return isSocketPath(host) ? { path: host } : { host, port };
}

/** Why no connection to a Unix socket came about, in words; null where it was not to one. */
export function socketTrouble({
  code,
  address,
}: NodeJS.ErrnoException & { address?: string }): string | null {
  if (address === undefined || !isSocketPath(address)) return null;
  switch (code) {
    case 'ENOENT':
      return `there is no socket ${address}`;
    case 'EACCES':
    case 'EPERM':
      return `the gateway may not write to the socket ${address}, or not look into its folder`;
    case 'ECONNREFUSED':
      return `nobody listens on the socket ${address}`;
    case 'EAGAIN':
      return `too many connections wait to be taken on the socket ${address}`;
    default:
      return `the socket ${address} cannot be connected to (${code})`;
  }
}
