import type { Scope } from '../../expression/index.ts';
import type { Expression, Template } from '../model.ts';
import type { RouteInput } from '../schema/index.ts';
import type { CompileCheck } from './compile.ts';
import type { Findings, Path } from './findings.ts';

/** What the limits of a route, or of the defaults, read. `guarded` null: some routes may be, others not. */
export function checkLimits(
  input: RouteInput['limit'],
  at: Path,
  scope: Scope,
  guarded: boolean | null,
  check: CompileCheck,
  findings: Findings,
): void {
  if (input === undefined || input === 'none') return;
  const list = Array.isArray(input) ? input : [input];
  for (const [index, { rate, per }] of list.entries()) {
    const path = Array.isArray(input) ? [...at, index] : at;
    if (typeof rate === 'function' || String(rate).includes('{')) {
      const compiled = check.template(rate as Template, scope, [...path, 'rate']);
      if (guarded === false) warnOfNobody(compiled, [...path, 'rate'], 'what it makes', findings);
    }
    if (per === undefined) continue;
    const compiled = check.value(per as Expression, scope, [...path, 'per']);
    if (guarded === false) warnOfNobody(compiled, [...path, 'per'], "the client's address", findings);
  }
}

function warnOfNobody(
  compiled: { readonly mentions: ReadonlySet<string> } | null,
  path: Path,
  stead: string,
  findings: Findings,
): void {
  if (compiled === null) return;
  if (![...compiled.mentions].some((mention) => /^auth(\.|$)/.test(mention))) return;
  findings.warning(
    'TG_CONFIG_AUTH',
    path,
    `nobody is asked who they are on this route: ${stead} stands for all who do not say`,
    'say auth: { with: PROVIDER } on the route, or count by something else',
  );
}
