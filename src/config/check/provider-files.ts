import type { ConfigInput } from '../schema/index.ts';
import type { FileCheck } from './files.ts';

/** Files that providers, and guards of routes, name. */
export function checkProviderFiles(input: ConfigInput, check: FileCheck): void {
  for (const [name, { introspection, jwt, forward }] of Object.entries(input.auth ?? {})) {
    for (const [kind, settings] of Object.entries({ introspection, jwt, forward }))
      check.clientTls(settings?.tls ?? {}, ['auth', name, kind, 'tls']);
    if (introspection?.privateKey !== undefined)
      check.key(introspection.privateKey, ['auth', name, 'introspection', 'privateKey']);
    if (jwt?.jwks !== undefined && !/^https?:/i.test(jwt.jwks))
      check.keySet(jwt.jwks, ['auth', name, 'jwt', 'jwks']);
  }
  const guards = [
    { auth: input.defaults?.auth, path: ['defaults', 'auth'] },
    ...Object.entries(input.routes ?? {}).map(([name, { auth }]) => ({
      auth,
      path: ['routes', name, 'auth'],
    })),
  ];
  for (const { auth, path } of guards) {
    if (typeof auth !== 'object') continue;
    check.clientTls(auth.opa?.tls ?? {}, [...path, 'opa', 'tls']);
    check.clientTls(auth.authzen?.tls ?? {}, [...path, 'authzen', 'tls']);
  }
}
