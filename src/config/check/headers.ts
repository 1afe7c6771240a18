import { isReservedHeader } from '../../http/reserved-headers.ts';
import type { ConfigInput, RequestTransformInput, ResponseTransformInput } from '../schema/index.ts';
import type { Findings, Path } from './findings.ts';

const VALUES = ['set', 'add', 'default'] as const;
type Transform = RequestTransformInput | ResponseTransformInput | 'none' | undefined;

/** Every place in which transforms can stand, with what they are applied to. */
export function transformsOf(
  input: ConfigInput,
): { transform: Transform; of: 'request' | 'response'; path: Path }[] {
  const owners = [
    { owner: input.defaults ?? {}, path: ['defaults'] },
    ...Object.entries(input.services ?? {}).map(([name, owner]) => ({ owner, path: ['services', name] })),
    ...Object.entries(input.routes ?? {}).map(([name, owner]) => ({ owner, path: ['routes', name] })),
  ];
  return owners.flatMap(({ owner, path }) => [
    { transform: owner.request, of: 'request' as const, path: [...path, 'request'] },
    { transform: owner.response, of: 'response' as const, path: [...path, 'response'] },
  ]);
}

/** Headers that a config may not make, and header transforms that contradict each other. */
export function checkHeaders(input: ConfigInput, findings: Findings): void {
  for (const { transform, of, path } of transformsOf(input)) checkTransform(transform, of, path, findings);
  for (const [name, route] of Object.entries(input.routes ?? {})) {
    const headers = Object.keys(route.respond?.headers ?? {});
    for (const header of headers)
      refuseReserved(header, 'response', ['routes', name, 'respond', 'headers', header], true, findings);
  }
}

function checkTransform(
  transform: Transform,
  of: 'request' | 'response',
  path: Path,
  findings: Findings,
): void {
  if (transform === undefined || transform === 'none') return;
  const { headers } = transform;
  if (headers === undefined || headers === 'none') return;
  const at = [...path, 'headers'];
  const given = new Map<string, Path>();
  for (const kind of VALUES) {
    const values = headers[kind];
    if (values === undefined || values === 'none') continue;
    for (const name of Object.keys(values)) {
      refuseReserved(name, of, [...at, kind, name], true, findings);
      given.set(name.toLowerCase(), [...at, kind, name]);
    }
  }
  if (headers.remove === undefined || headers.remove === 'none') return;
  for (const [index, name] of headers.remove.entries()) {
    if (name === undefined) continue;
    refuseReserved(name, of, [...at, 'remove', index], false, findings);
    const other = given.get(name.toLowerCase());
    if (other !== undefined) contradiction(name, [...at, 'remove', index], other, findings);
  }
}

function contradiction(name: string, path: Path, other: Path, findings: Findings): void {
  const advice = '"set" replaces what was there already; "remove" is for headers that are to be gone';
  findings.error('TG_CONFIG_CONFLICT', path, `"${name}" is both removed and given a value`, advice, {
    also: { path: [...other], atKey: true },
  });
}

function refuseReserved(name: string, of: string, path: Path, atKey: boolean, findings: Findings): void {
  const lower = name.toLowerCase();
  if (!isReservedHeader(lower)) return;
  const plain = lower.replaceAll('_', '-');
  const verb = atKey ? 'set' : 'removed';
  findings.error(
    'TG_CONFIG_HEADER',
    path,
    `"${name}" cannot be ${verb}: the gateway makes it itself`,
    adviceFor(plain, of),
    { atKey },
  );
}

function adviceFor(name: string, of: string): string {
  if (name === 'host')
    return of === 'request'
      ? 'say host: client, service or a template, on the route or the service'
      : 'a response has no Host';
  if (name.startsWith('x-auth-')) return "services are told who is asking by the route's auth alone";
  if (name === 'content-length' || name === 'transfer-encoding' || name === 'trailer')
    return 'the length of a body is said by the gateway, as it sends it';
  return 'it belongs to one connection, and ends at the gateway';
}
