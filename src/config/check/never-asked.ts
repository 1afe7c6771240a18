import type { ConfigInput, ProviderInput, RouteAuthInput } from '../schema/index.ts';
import { credentialPlacesOf, isSamePlace, kindOf, readPlacesOf } from './credential-places.ts';
import type { Findings, Path } from './findings.ts';

type Kind = ReturnType<typeof kindOf>['kind'];

/** Whose credentials a provider of this kind takes for its own, where they stand in its places. */
const TAKES: Readonly<Record<Exclude<Kind, 'forward'>, readonly Kind[]>> = {
  introspection: ['introspection', 'jwt'],
  jwt: ['jwt'],
  apiKey: ['introspection', 'jwt', 'apiKey', 'basic'],
  basic: ['basic'],
  mtls: ['mtls'],
};

/**
 * The first provider that recognises the credential decides: one behind another that takes all of its credentials is never
 * asked. Of a config in which nothing is wrong.
 */
export function checkNeverAsked(input: ConfigInput, findings: Findings): void {
  const guards = [
    { auth: input.defaults?.auth, path: ['defaults', 'auth', 'with'] },
    ...Object.entries(input.routes ?? {}).map(([name, { auth }]) => ({
      auth,
      path: ['routes', name, 'auth', 'with'],
    })),
  ];
  for (const { auth, path } of guards) {
    if (typeof auth !== 'object' || !Array.isArray(auth.with)) continue;
    checkOrder(auth, path, input.auth ?? {}, findings);
  }
}

function checkOrder(
  auth: RouteAuthInput,
  path: Path,
  providers: Readonly<Record<string, ProviderInput>>,
  findings: Findings,
): void {
  const names = auth.with as readonly string[];
  names.forEach((name, index) => {
    const before = names.slice(0, index).find((other) => hides(providers[other]!, providers[name]!, auth));
    if (before === undefined) return;
    const message =
      before === name
        ? `the provider "${name}" stands here twice`
        : `the provider "${name}" is never asked: "${before}" stands before it, and takes all that it would take`;
    const advice =
      before === name ? 'keep one' : `name "${name}" first, or let one of them look elsewhere (from)`;
    findings.warning('TG_CONFIG_AUTH', [...path, index], message, advice);
  });
}

/** Does the first recognise whatever the second would? */
function hides(first: ProviderInput, second: ProviderInput, { optional }: RouteAuthInput): boolean {
  const { kind } = kindOf(first);
  // It is asked about requests without a credential, too; where that is optional, only where one may be shown.
  if (first.forward !== undefined && first.forward.from === undefined)
    return String(optional) !== 'true' || within(second, readPlacesOf(first));
  const takes = kind === 'forward' ? Object.keys(TAKES) : TAKES[kind];
  return (
    takes.includes(kindOf(second).kind) &&
    within(second, credentialPlacesOf(first)) &&
    isOfOneIssuer(first, second)
  );
}

/** Does the second look nowhere else? */
function within(second: ProviderInput, places: ReturnType<typeof credentialPlacesOf>): boolean {
  const own = readPlacesOf(second);
  return own.length > 0 && own.every((place) => places.some((one) => isSamePlace(one, place)));
}

/** A jwt provider recognises the tokens of its issuer alone, where it names one. */
function isOfOneIssuer(first: ProviderInput, second: ProviderInput): boolean {
  const issuer = first.jwt?.issuer;
  return issuer === undefined || issuer === second.jwt?.issuer;
}
