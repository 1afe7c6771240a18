import { signingKeyFromPem } from '../../auth/index.ts';
import { foldedName } from '../../http/reserved-headers.ts';
import type { ConfigFiles } from '../files.ts';
import type { ConfigInput, RouteAuthInput } from '../schema/index.ts';
import type { Findings, Path } from './findings.ts';
import { transformsOf } from './headers.ts';

/** What services are told of who asks: the key it is signed with, and headers that nobody else may make. */
export function checkIdentity(input: ConfigInput, files: ConfigFiles, findings: Findings): void {
  checkKey(input, files, findings);
  checkTransforms(input, findings);
  checkSigned(input, findings);
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
  let signs = false;
  for (const { auth, path } of owners) {
    if (typeof auth !== 'object' || auth === null) continue;
    const { forwardAs, passToken } = auth as RouteAuthInput;
    if (forwardAs !== 'jwt') continue;
    signs = true;
    if (String(passToken) === 'true')
      findings.error(
        'TG_CONFIG_CONFLICT',
        [...path, 'passToken'],
        "the client's token and the gateway's own cannot both stand in authorization",
        'keep one of them',
        { atKey: true, also: { path: [...path, 'forwardAs'], atKey: true } },
      );
  }
  if (!signs) {
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
  if (input.signing?.key !== undefined || sharesRedis(input)) return;
  findings.warning(
    'TG_CONFIG_AUTH',
    ['signing'],
    'each node signs with a key of its own, so only one node may run',
    'say signing: { key }, or cache: { redis } that all nodes share',
    { atKey: true },
  );
}

function sharesRedis(input: ConfigInput): boolean {
  const { cache } = input as { cache?: { redis?: unknown } };
  return cache?.redis !== undefined;
}

function refuseOtherAuthorization(input: ConfigInput, findings: Findings): void {
  for (const { transform, of, path } of transformsOf(input)) {
    if (of !== 'request' || transform === undefined || transform === 'none') continue;
    const { headers } = transform;
    if (headers === undefined || headers === 'none' || !reachesSigned(input, path)) continue;
    for (const kind of ['set', 'add', 'default'] as const) {
      const value = headers[kind];
      if (value === undefined || value === 'none') continue;
      for (const name of Object.keys(value)) {
        if (foldedName(name) !== 'authorization') continue;
        const message = 'a token signed by the gateway stands in authorization (forwardAs: jwt)';
        findings.error('TG_CONFIG_CONFLICT', [...path, 'headers', kind, name], message, 'keep one of them', {
          atKey: true,
        });
      }
    }
  }
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
