import type { RouteAuthConfig } from '../config/model.ts';

/** Does `a` surely let more requests pass than `b`? Two guards that differ in kind can't be compared. */
export function isLessGuarded(a: RouteAuthConfig | null, b: RouteAuthConfig | null): boolean {
  if (b === null) return false;
  if (a === null) return true;
  if (a.providers.length === 0) return b.providers.length > 0;
  if (b.providers.length === 0) return false;
  if (a.optional !== b.optional) return a.optional;
  const asked = (auth: RouteAuthConfig) =>
    auth.permissions.length +
    auth.scopes.length +
    [auth.allow, auth.opa, auth.authzen, auth.allowResponse].filter((rule) => rule !== null).length;
  if (asked(a) === 0) return asked(b) > 0;
  const within = (some: readonly string[], all: readonly string[]) => some.every((one) => all.includes(one));
  if (a.opa !== null || a.authzen !== null || a.allowResponse !== null) return false;
  if (a.allow !== null && a.allow !== b.allow) return false;
  return within(a.permissions, b.permissions) && within(a.scopes, b.scopes) && asked(a) < asked(b);
}
