/**
 * How a service is spoken to, as its URL begins. `h2` and `h2c` are HTTP/2 with TLS and without, by the names that
 * ALPN has for them (RFC 7301, RFC 9113 §3); `unix` is HTTP/1.1 in clear text over a Unix socket.
 */
export type ServiceScheme = 'http' | 'https' | 'h2c' | 'h2' | 'unix';

export function usesTls(scheme: ServiceScheme): boolean {
  return scheme === 'https' || scheme === 'h2';
}

export function usesHttp2(scheme: ServiceScheme): boolean {
  return scheme === 'h2c' || scheme === 'h2';
}

/** The port where none is said. */
export function usualPort(scheme: ServiceScheme): number {
  return usesTls(scheme) ? 443 : 80;
}
