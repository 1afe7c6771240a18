const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** A tag in its one spelling: databases and services differ in how they spell UUIDs. */
export function canonicalTag(tag: string): string {
  return tag.length < 36 ? tag : tag.replace(UUID, (uuid) => uuid.toLowerCase());
}
