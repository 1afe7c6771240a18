import { readsPartOf, type Scope } from '../../expression/index.ts';
import type { Expression, Template } from '../model.ts';
import type { ConfigInput, RouteInput } from '../schema/index.ts';
import type { CompileCheck } from './compile.ts';
import type { Findings, Path } from './findings.ts';

type LimitInput = Exclude<NonNullable<RouteInput['limit']>, 'none' | readonly unknown[]>;

/** One by one, with its place; one of a list that is none has left a hole there. */
function limitsIn(input: RouteInput['limit'], at: Path): { limit: LimitInput; path: Path }[] {
  if (input === undefined || input === 'none') return [];
  if (!Array.isArray(input)) return [{ limit: input as LimitInput, path: at }];
  return (input as (LimitInput | undefined)[]).flatMap((limit, index) =>
    limit === undefined ? [] : [{ limit, path: [...at, index] }],
  );
}

/** What the limits of a route, or of the defaults, read. `guarded` null: some routes may be, others not. */
export function checkLimits(
  input: RouteInput['limit'],
  at: Path,
  scope: Scope,
  guarded: boolean | null,
  check: CompileCheck,
  findings: Findings,
): void {
  for (const { limit, path } of limitsIn(input, at)) {
    const { rate, per } = limit;
    if (typeof rate === 'function' || String(rate).includes('{')) {
      const compiled = check.singleText(rate as Template, scope, [...path, 'rate']);
      if (guarded === false)
        warnOfNobody(
          compiled,
          [...path, 'rate'],
          'the rate is the same for all, or can not be worked out',
          findings,
        );
    }
    if (per === undefined) continue;
    const compiled = check.value(per as Expression, scope, [...path, 'per']);
    if (guarded === false)
      warnOfNobody(compiled, [...path, 'per'], 'requests count by the address of the client', findings);
  }
}

/** Limits of one name share their counts: those that count differently would spoil each other's. */
export function checkLimitNames(input: ConfigInput, findings: Findings): void {
  const first = new Map<string, { terms: string; place: string }>();
  const places: [RouteInput['limit'], Path][] = [
    [input.defaults?.limit, ['defaults', 'limit']],
    ...Object.entries(input.routes ?? {}).map(([name, route]): [RouteInput['limit'], Path] => [
      route.limit,
      ['routes', name, 'limit'],
    ]),
  ];
  for (const [limit, at] of places) {
    for (const { limit: one, path } of limitsIn(limit, at)) {
      const { name, rate, burst, per } = one;
      if (name === undefined) continue;
      const terms = JSON.stringify([String(rate), String(burst), String(per)]);
      const known = first.get(name);
      if (known === undefined) first.set(name, { terms, place: path.join('.') });
      else if (known.terms !== terms)
        findings.warning(
          'TG_CONFIG_VALUE',
          [...path, 'name'],
          `limits "${name}" share their counts, but this one says something else than ${known.place}`,
          'give both the same rate, burst and per, or another name',
        );
    }
  }
}

function warnOfNobody(
  compiled: { readonly mentions: ReadonlySet<string> } | null,
  path: Path,
  then: string,
  findings: Findings,
): void {
  if (compiled === null) return;
  if (!readsPartOf(compiled.mentions, 'auth')) return;
  findings.warning(
    'TG_CONFIG_AUTH',
    path,
    `nobody is asked who they are on this route: ${then}`,
    'say auth: { with: PROVIDER } on the route, or count by something else',
  );
}
