import { signingKeyFromPem } from '../../auth/index.ts';
import { foldedName } from '../../http/reserved-headers.ts';
import type { ConfigFiles } from '../files.ts';
import type { ConfigInput, RouteAuthInput } from '../schema/index.ts';
import { refusePlain } from './auth.ts';
import type { Findings, Path } from './findings.ts';
import { transformsOf } from './headers.ts';

/** What services are told of who asks: the key it is signed with, and headers that nobody else may make. */
export function checkIdentity(input: ConfigInput, files: ConfigFiles, findings: Findings): void {
  checkKey(input, files, findings);
  checkTransforms(input, findings);
  checkSigned(input, findings);
  checkServiceTokens(input, findings);
  checkCertificates(input, findings);
}

/** A provider of certificates that no listener asks clients for. */
function checkCertificates(input: ConfigInput, findings: Findings): void {
  const listeners = Array.isArray(input.listen) ? input.listen : [input.listen];
  const asks = listeners.some(
    (one) => typeof one === 'object' && one.tls?.clientCa !== undefined && one.tls.clientAuth !== 'none',
  );
  if (asks) return;
  for (const [name, { mtls }] of Object.entries(input.auth ?? {})) {
    if (mtls === undefined) continue;
    findings.error(
      'TG_CONFIG_MISSING',
      ['auth', name, 'mtls'],
      'no listener asks clients for a certificate',
      'say tls: { cert, key, clientCa } on the listener that they come in by',
      { atKey: true },
    );
  }
}

/** A service gets one authorization: the gateway's own leaves no room for another. */
function checkServiceTokens(input: ConfigInput, findings: Findings): void {
  for (const [name, { auth, request }] of Object.entries(input.services ?? {})) {
    if (auth === undefined) continue;
    const at = ['services', name, 'auth'];
    const { clientCredentials } = auth;
    if (clientCredentials?.tokenEndpoint !== undefined)
      refusePlain(clientCredentials, 'tokenEndpoint', [...at, 'clientCredentials'], findings);
    for (const path of authorizationIn(request, ['services', name, 'request']))
      clash(path, at, 'the service already gets the credential of its auth in authorization', findings);
    for (const [route, { to, auth: guard, request: own }] of Object.entries(input.routes ?? {})) {
      if (!servicesOf(to).includes(name)) continue;
      for (const path of authorizationIn(own, ['routes', route, 'request']))
        clash(
          path,
          at,
          `the service "${name}" already gets the credential of its auth in authorization`,
          findings,
        );
      const asked = guard ?? input.defaults?.auth;
      if (typeof asked !== 'object') continue;
      const where = guard === undefined ? ['defaults', 'auth'] : ['routes', route, 'auth'];
      for (const key of ['forwardAs', 'passToken'] as const) {
        if (asked[key] === undefined || String(asked[key]) === 'false') continue;
        clash(
          [...where, key],
          at,
          `the service "${name}" already gets the gateway's own credential`,
          findings,
        );
      }
    }
  }
}

function clash(path: Path, auth: Path, message: string, findings: Findings): void {
  findings.error('TG_CONFIG_CONFLICT', path, message, 'keep one of them', {
    atKey: true,
    also: { path: [...auth], atKey: true },
  });
}

function checkKey({ signing }: ConfigInput, files: ConfigFiles, findings: Findings): void {
  if (signing?.key === undefined) return;
  const at = ['signing', 'key'];
  const given = signing.key;
  const content = given.includes('-----BEGIN ') ? given : files.read(given);
  if (typeof content === 'string' && content !== given) {
    const advice = `paths are relative to the config's folder, ${files.folder}`;
    findings.error('TG_CONFIG_FILE', at, `the file ${given} ${content}`, advice);
    return;
  }
  try {
    signingKeyFromPem(content.toString());
  } catch (error) {
    const text = (error as Error).message;
    const message = /cannot sign here/.test(text) ? text : 'this holds no private key that can be read';
    findings.error(
      'TG_CONFIG_TLS',
      at,
      message,
      'make one: openssl genpkey -algorithm ed25519 -out signing.pem',
    );
  }
}

/** Names of the config's own choice are kept from transforms as the usual two are. */
function checkTransforms(input: ConfigInput, findings: Findings): void {
  const own = Object.values(input.identity ?? {}).map((name) => foldedName(String(name)));
  if (own.length === 0) return;
  for (const { transform, path } of transformsOf(input)) {
    if (transform === undefined || transform === 'none') continue;
    const { headers } = transform;
    if (headers === undefined || headers === 'none') continue;
    for (const kind of ['set', 'add', 'default', 'remove'] as const) {
      const value = headers[kind];
      if (value === undefined || value === 'none') continue;
      const names = Array.isArray(value)
        ? value.map((name, index) => [name, index] as const)
        : Object.keys(value).map((name) => [name, name] as const);
      for (const [name, key] of names) {
        if (name === undefined || !own.includes(foldedName(name))) continue;
        const verb = kind === 'remove' ? 'removed' : 'set';
        const message = `"${name}" cannot be ${verb}: the gateway makes it itself`;
        const advice = "services are told who is asking by the route's auth alone";
        findings.error('TG_CONFIG_HEADER', [...path, 'headers', kind, key], message, advice, {
          atKey: kind !== 'remove',
        });
      }
    }
  }
}

/** A signed token stands in `authorization`: nothing else can, on its way to the same service. */
function checkSigned(input: ConfigInput, findings: Findings): void {
  const owners: { auth: unknown; path: Path }[] = [
    { auth: input.defaults?.auth, path: ['defaults', 'auth'] },
    ...Object.entries(input.routes ?? {}).map(([name, { auth }]) => ({
      auth,
      path: ['routes', name, 'auth'],
    })),
  ];
  let signs: Path | null = null;
  for (const { auth, path } of owners) {
    if (typeof auth !== 'object' || auth === null) continue;
    const { forwardAs, passToken } = auth as RouteAuthInput;
    if (forwardAs !== 'jwt') continue;
    signs ??= [...path, 'forwardAs'];
    if (String(passToken) === 'true')
      findings.error(
        'TG_CONFIG_CONFLICT',
        [...path, 'passToken'],
        "the client's token and the gateway's own cannot both stand in authorization",
        'keep one of them',
        { atKey: true, also: { path: [...path, 'forwardAs'], atKey: true } },
      );
  }
  if (signs === null) {
    if (input.signing !== undefined)
      findings.warning(
        'TG_CONFIG_UNUSED',
        ['signing'],
        'nothing is signed',
        'say forwardAs: jwt in the auth of a route',
        { atKey: true },
      );
    return;
  }
  refuseOtherAuthorization(input, findings);
  if (input.signing?.key !== undefined || (input.cache?.redis ?? 'none') !== 'none') return;
  findings.warning(
    'TG_CONFIG_AUTH',
    input.signing === undefined ? signs : ['signing'],
    'each node signs with a key of its own, so only one node may run',
    'say signing: { key }, the same on all nodes, or share a Redis: cache: { redis }',
    { atKey: true },
  );
}

function refuseOtherAuthorization(input: ConfigInput, findings: Findings): void {
  for (const { transform, of, path } of transformsOf(input)) {
    if (of !== 'request' || transform === undefined || transform === 'none') continue;
    if (!reachesSigned(input, path)) continue;
    const message = 'a token signed by the gateway stands in authorization (forwardAs: jwt)';
    for (const at of authorizationIn(transform, path))
      findings.error('TG_CONFIG_CONFLICT', at, message, 'keep one of them', { atKey: true });
  }
}

type Transform = NonNullable<ConfigInput['services']>[string]['request'];

/** Where a transform gives `authorization` a value. */
function authorizationIn(transform: unknown, path: Path): Path[] {
  const headers =
    typeof transform === 'object' ? (transform as Exclude<Transform, 'none'>)?.headers : undefined;
  if (typeof headers !== 'object') return [];
  return (['set', 'add', 'default'] as const).flatMap((kind) => {
    const value = headers[kind];
    if (typeof value !== 'object') return [];
    const names = Object.keys(value).filter((name) => foldedName(name) === 'authorization');
    return names.map((name) => [...path, 'headers', kind, name]);
  });
}

/** Does a transform that stands there act on requests with a signed token? */
function reachesSigned(input: ConfigInput, path: Path): boolean {
  const [of, name] = path;
  return Object.entries(input.routes ?? {}).some(([routeName, route]) => {
    const auth = route.auth ?? input.defaults?.auth;
    if (typeof auth !== 'object' || auth.forwardAs !== 'jwt') return false;
    if (of === 'routes') return routeName === name;
    return of === 'defaults' || servicesOf(route.to).includes(String(name));
  });
}

function servicesOf(to: unknown): string[] {
  const entries = Array.isArray(to) ? to : [to];
  return entries.flatMap((one) =>
    typeof one === 'string'
      ? [one]
      : typeof one === 'object' && one !== null
        ? [String((one as { service?: unknown }).service)]
        : [],
  );
}
