import type { GatewayConfig } from '../config/model.ts';
import { type Exchange, reply } from '../http/exchange.ts';
import { clientAuthority, type Dispatch } from '../pipeline/index.ts';
import { PROOF_ALGORITHMS } from './dpop/index.ts';

/** RFC 9728 §3: where a client that was refused learns which servers give out tokens for this one. */
export const METADATA_PATH = '/.well-known/oauth-protected-resource';

/** Issuers whose tokens open some route, as they call themselves. */
export function issuersOf({ auth, routes }: GatewayConfig): string[] {
  const used = new Set(Object.values(routes).flatMap((route) => route.auth?.providers ?? []));
  const issuers = Object.values(auth)
    .filter(
      (provider) => used.has(provider.name) && provider.kind === 'jwt' && provider.keys.kind === 'discovery',
    )
    .map((provider) => (provider.kind === 'jwt' ? provider.issuer! : ''));
  return [...new Set(issuers)];
}

/** The metadata document, named after the host that the client asked. */
export function metadataDispatch(issuers: readonly string[]): Dispatch {
  return (exchange, out) => {
    const body = Buffer.from(
      JSON.stringify({
        resource: originOf(exchange),
        authorization_servers: issuers,
        bearer_methods_supported: ['header'],
        dpop_signing_alg_values_supported: PROOF_ALGORITHMS,
      }),
    );
    const headers = [
      'content-type',
      'application/json',
      'cache-control',
      'max-age=300',
      'access-control-allow-origin',
      '*',
      'x-content-type-options',
      'nosniff',
    ];
    out.finish(exchange, reply(200, headers, body), null);
  };
}

export function metadataUrl(exchange: Exchange): string {
  return `${originOf(exchange)}${METADATA_PATH}`;
}

function originOf(exchange: Exchange): string {
  return `${exchange.scheme}://${clientAuthority(exchange, exchange.trusted)}`;
}
