import type { RedisLink, Reply } from '../../redis/index.ts';
import type { Random } from '../../util/random.ts';
import { FUNCTIONS } from './functions.ts';
import type { Group } from './keys.ts';

/** What Redis says of a group: in which epoch it is, and how far. */
export interface Standing {
  readonly epoch: number;
  /** Number of the newest invalidation. */
  readonly sequence: number;
  /** Below it everything is dead. */
  readonly floor: number;
  /** Id of the newest entry of the log. */
  readonly last: string;
}

/** The reply of a function where no epoch is open: Redis has lost its memory, or gone back in time. */
export const NOT_OPEN = -1;

export interface Opening {
  /** The newest number that the caller knows of: a new epoch begins above it. */
  readonly known: number;
  /** Begins a new epoch even where one is open. */
  readonly anew: boolean;
}

/**
 * Joins the epoch that is open, or opens a new one, in which everything that was stored before is dead. Of several
 * that open at once one does, and the others join.
 */
export async function openEpoch(
  link: RedisLink,
  group: Group,
  random: Random,
  { known, anew }: Opening,
): Promise<Standing> {
  const { fences, soft, prefixes, log, life } = group;
  // 52 bits, so that every part of Redis and of JavaScript holds it exactly; never 0.
  const epoch = Number.parseInt(random.hex(6), 16) * 16 + 1;
  const args = [String(epoch), String(known), anew ? '1' : '0'];
  return standing(await link.call(FUNCTIONS, 'open', [fences, soft, prefixes, log, life], args));
}

export function standing(reply: Reply): Standing {
  const [epoch, sequence, floor, last] = reply as Reply[];
  return { epoch: Number(epoch), sequence: Number(sequence), floor: Number(floor), last: String(last) };
}
