/** Who asks, as far as keys go. */
interface Asker {
  readonly provider: string | null;
  readonly subject: string | null;
  readonly permissions: readonly string[];
}

/**
 * What of an identity belongs into the key of an answer that was made for it, whose answer it is: provider and
 * subject, and the permissions that services are told. Null: it has no subject, so nothing may be stored for it.
 */
export function subjectKey(identity: Asker): string | null {
  if (identity.subject === null) return null;
  return JSON.stringify([identity.provider, identity.subject, permissionSet(identity)]);
}

/**
 * All that a service may be told of an identity, in its headers, in a token that the gateway signs, or in the words of its
 * provider. Null: it has no subject, so nothing tells two who are known by it apart.
 */
export function carriedKey(
  identity: Asker & { readonly scopes: readonly string[]; readonly toService?: readonly string[] },
): string | null {
  const { provider, subject, scopes, toService = [] } = identity;
  if (subject === null) return null;
  return JSON.stringify([provider, subject, permissionSet(identity), scopes, toService]);
}

/** Permissions as a set: order and duplicates make no difference. */
export function permissionSet({ permissions }: Pick<Asker, 'permissions'>): string[] {
  return [...new Set(permissions)].sort();
}
