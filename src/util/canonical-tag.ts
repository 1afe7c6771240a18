const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/**
 * A tag in its one spelling, whoever names it (an answer, a change, a purge): databases and services differ in how they
 * spell UUIDs. What the gateway makes for itself, behind a NUL, stands as it is.
 */
export function canonicalTag(tag: string): string {
  if (tag.length < 36 || tag.charCodeAt(0) === 0) return tag;
  return tag.replace(UUID, (uuid) => uuid.toLowerCase());
}
