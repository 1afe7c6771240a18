import type { Headers } from '../http/headers.ts';
import { Kind, kindOf } from './kinds.ts';

/** What of these fields may stand behind a message's content; null for nothing. */
export function trailersOf(fields: readonly string[]): Headers | null {
  const kept: Headers = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (mayTrail(fields[i]!)) kept.push(fields[i]!, fields[i + 1]!);
  }
  return kept.length > 0 ? kept : null;
}

/** RFC 9110 §6.5.1: nothing that frames, routes, authenticates or says how to read the content. */
function mayTrail(name: string): boolean {
  if (kindOf(name) !== Kind.ordinary) return false;
  return !/^(?:authorization|cookie|set-cookie|content-(?:encoding|type|range)|cache-control|max-forwards|range|if-.*|www-authenticate|age|expires|location|retry-after|vary|warning|pragma)$/i.test(
    name,
  );
}
