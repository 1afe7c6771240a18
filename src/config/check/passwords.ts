import { looksHashed, parsePasswordHash } from '../../auth/index.ts';
import { type ProviderInput, pathKey } from '../schema/index.ts';
import type { Findings, Path } from './findings.ts';

type Users = NonNullable<ProviderInput['basic']>['users'];

/** A password that stands in the file is known to all who can read it. */
export function checkPasswords(
  users: Users | undefined,
  path: Path,
  filled: ReadonlySet<string>,
  findings: Findings,
): void {
  const seen = new Map<string, Path>();
  for (const [index, user] of (users ?? []).entries()) {
    if (user === undefined) continue;
    const { name, password } = user;
    const at = [...path, index, 'password'];
    if (password !== undefined && looksHashed(password)) {
      const parsed = parsePasswordHash(password);
      const advice = '"tidegate hash password" prints one that fits';
      if (typeof parsed === 'string') findings.error('TG_CONFIG_VALUE', at, parsed, advice);
    } else if (password !== undefined && !filled.has(pathKey(at))) {
      const advice =
        '"tidegate hash password" gives what may stand here, or take it from the environment: ${env.NAME}';
      findings.error('TG_CONFIG_SECRET', at, 'a password must not stand in the file', advice);
    }
    const twin = name === undefined ? undefined : seen.get(name);
    if (twin !== undefined)
      findings.error(
        'TG_CONFIG_DUPLICATE',
        [...path, index, 'name'],
        `"${name}" stands in the list twice`,
        'keep one',
        {
          also: { path: [...twin] },
        },
      );
    if (name !== undefined) seen.set(name, [...path, index, 'name']);
  }
}
