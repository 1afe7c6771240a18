import { type Exchange, type Reply, reply } from '../../http/exchange.ts';
import type { KeyRing } from './key-ring.ts';

/** Where services find the keys that the gateway signs with (RFC 8615, as usual for JWK sets). */
export const KEY_SET_PATH = '/.well-known/jwks.json';

/** The public keys as a JWK set (RFC 7517 §5). Null: neither GET nor HEAD. */
export function keySetAnswer(exchange: Exchange, ring: KeyRing, wall: number): Reply | null {
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') return null;
  const keys = ring.published(wall).map(({ jwk }) => jwk);
  const headers = [
    'Content-Type',
    'application/jwk-set+json',
    'Cache-Control',
    'public, max-age=300',
    'X-Content-Type-Options',
    'nosniff',
  ];
  return reply(200, headers, Buffer.from(JSON.stringify({ keys })));
}
