import { createHash } from 'node:crypto';
import type { RouteConfig } from '../config/model.ts';

/**
 * What an entry was made under: one that was stored before the route asked for something else, or filed it
 * otherwise, is no answer of the route any more; nor is one that another mapping of changes was to keep right.
 *
 * @param mapping Stamp of how changes are mapped to tags.
 */
export function fingerprint({ cache, action, request, host }: RouteConfig, mapping: string): string {
  // Comparing what is kept, and filling it again, changes nothing of it.
  const kept = cache === null ? null : { ...cache, audit: undefined, refresh: undefined };
  const text = JSON.stringify([kept, action, request, host, mapping], (_key, value: unknown) =>
    typeof value === 'function' ? String(value) : value instanceof Set ? [...value] : value,
  );
  return createHash('sha256').update(text).digest('base64url').slice(0, 12);
}
