import { trimOws } from './headers.ts';

const PROTOCOL = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?$/;

/**
 * The protocols asked for (RFC 9110 §7.8) that may be switched to; null: none, so it is an ordinary request. Never `h2c`,
 * which some clients offer with each request, or TLS: the service would speak past every rule of the gateway on a
 * connection it opened (request tunnelling).
 */
export function protocolsIn(upgrade: string): string | null {
  const kept = upgrade
    .split(',')
    .map(trimOws)
    .filter((protocol) => PROTOCOL.test(protocol) && !/^(?:h2c?|tls)(?:\/|$)/i.test(protocol));
  return kept.length === 0 ? null : kept.join(', ');
}
