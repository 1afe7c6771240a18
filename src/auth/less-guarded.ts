import type { RouteAuthConfig } from '../config/model.ts';

/** Does `a` surely let more requests pass than `b`? Two guards that differ in kind can't be compared. */
export function isLessGuarded(a: RouteAuthConfig | null, b: RouteAuthConfig | null): boolean {
  return letsMorePass(inForce(a), inForce(b));
}

/** Rules that are on trial refuse nobody. */
function inForce(auth: RouteAuthConfig | null): RouteAuthConfig | null {
  if (auth === null || !auth.report) return auth;
  if (auth.providers.length === 0 && auth.allowResponse === null) return null;
  return { ...auth, allow: null, permissions: [], scopes: [], opa: null, authzen: null };
}

function letsMorePass(a: RouteAuthConfig | null, b: RouteAuthConfig | null): boolean {
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
