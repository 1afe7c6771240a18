import { hash } from 'node:crypto';
import type { RedisConfig } from '../../redis/index.ts';
import { slotOf } from '../fences/index.ts';

/** Each holds a table of fences of 8 MiB. */
const GROUPS = 16;

/** Keys of one group, which share a hash tag and so a node of a cluster. */
export interface Group {
  readonly fences: string;
  readonly soft: string;
  readonly prefixes: string;
  readonly log: string;
  readonly life: string;
  readonly entries: string;
  readonly claims: string;
  readonly once: string;
  readonly notes: string;
  readonly seats: string;
  readonly secret: string;
}

/** Names of everything that one gateway keeps in Redis. */
export class Keyspace {
  readonly groups: readonly Group[];

  /** @param count 1, or a power of two up to 16 on a cluster. */
  constructor(prefix: string, count: number) {
    const name = prefix.replace(/[{}]/g, '_');
    this.groups = Array.from({ length: count }, (_, i) =>
      group(count === 1 ? `{${name}}` : `{${name}:${i}}`),
    );
  }

  /** The group that holds the sequence and the log. */
  get first(): Group {
    return this.groups[0]!;
  }

  groupOf(digest: string): Group {
    return this.groups[digest.charCodeAt(0) & (this.groups.length - 1)]!;
  }
}

/** On a cluster in groups, so that its servers share the work. */
export function keyspaceFor(prefix: string, kind: RedisConfig['kind']): Keyspace {
  return new Keyspace(prefix, kind === 'cluster' ? GROUPS : 1);
}

function group(tag: string): Group {
  return {
    fences: `${tag}:fences`,
    soft: `${tag}:soft`,
    prefixes: `${tag}:prefixes`,
    log: `${tag}:log`,
    life: `${tag}:life`,
    entries: `${tag}:e:`,
    claims: `${tag}:f:`,
    once: `${tag}:o:`,
    notes: `${tag}:notes`,
    seats: `${tag}:seats`,
    secret: `${tag}:secret`,
  };
}

/** Keys of entries hold whole URLs and may be as long; in Redis they are short, and tell nothing. */
export function digestOf(key: string): string {
  return hash('sha256', key, 'base64url');
}

/** How the functions in Redis address the fence of a tag. */
export function slotName(tag: string): string {
  return `#${slotOf(tag)}`;
}
