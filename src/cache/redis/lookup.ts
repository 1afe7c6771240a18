import type { Reply } from '../../redis/index.ts';
import { hasPrefix } from '../fences/index.ts';
import type { StoredHead } from './codec.ts';

/** One stored variant, as the function `look` tells of it. */
export interface Variant {
  readonly id: string;
  /** Of this entry; the next one in its place has another. */
  readonly generation: string;
  /** A soft purge has reached it. */
  readonly stale: boolean;
  /** Pieces that the body is kept in; 0: it stands with the head. */
  readonly chunks: number;
  readonly head: Buffer;
}

const STRIDE = 5;

/** @param reply Purged prefixes, the body where there is one, then five values for each variant. */
export function variantsOf(reply: Reply[]): Variant[] {
  const variants: Variant[] = [];
  for (let i = 2; i + STRIDE <= reply.length; i += STRIDE) {
    const [id, generation, stale, chunks, head] = reply.slice(i, i + STRIDE);
    if (!Buffer.isBuffer(head)) continue;
    variants.push({
      id: String(id),
      generation: String(generation),
      stale: stale === 1,
      chunks: Number(chunks),
      head,
    });
  }
  return variants;
}

/** @param purged Prefixes, each behind an `h` (hard) or `s` (soft), with the numbers of their purges; or null. */
export function reachedByPrefix(purged: Reply, { url, head }: StoredHead): 'dead' | 'stale' | null {
  if (!Array.isArray(purged)) return null;
  let reached: 'stale' | null = null;
  for (let i = 0; i < purged.length; i += 2) {
    const prefix = String(purged[i]);
    if (Number(purged[i + 1]) <= head.sequence || !hasPrefix(url, prefix.slice(1))) continue;
    if (prefix[0] === 'h') return 'dead';
    reached = 'stale';
  }
  return reached;
}
