import type { Fenced } from '../fences/index.ts';
import type { Cache } from './cache.ts';
import type { FedBy } from './fed-by.ts';

/** The names of the families that some tags belong to, as one config has them. */
interface Known {
  readonly fedBy: FedBy;
  readonly names: readonly string[];
}

/**
 * The fences, for what carries nothing but its tags: decisions on who asks, and what goes on for long under them. A
 * change whose own tags can't be known (TRUNCATE, an old row that was not sent, a gap) fences families of tags. Answers
 * carry the names of theirs from the start; here they are looked up, as the config in force has them.
 *
 * Such a change makes a decision doubtful: it is asked for once more. It ends no tunnel, which can't be asked for again:
 * an old row that is not sent would end them all, at each change of anybody's row.
 */
export class Revocations {
  private readonly cache: Cache;
  private readonly known = new WeakMap<readonly string[], Known>();

  constructor(cache: Cache) {
    this.cache = cache;
  }

  get sequence(): number {
    return this.cache.fences.sequence;
  }

  get version(): number {
    return this.cache.fences.version;
  }

  isDead(entry: Fenced): boolean {
    return this.cache.fences.isDead(entry);
  }

  isDoubtful(entry: Fenced): boolean {
    const families = this.familiesOf(entry.tags);
    return families.length > 0 && this.cache.fences.isDead({ ...entry, tags: families });
  }

  /** Not while changes of its tags are not followed: a revocation may be missed. */
  mayAnswer(tags: readonly string[]): boolean {
    if (!this.cache.mayAnswer(tags)) return false;
    const withheld = this.cache.fedBy?.withheld ?? null;
    return withheld === null || !this.familiesOf(tags).some((name) => withheld.has(name));
  }

  life(): number {
    return this.cache.life;
  }

  familiesOf(tags: readonly string[]): readonly string[] {
    const { fedBy } = this.cache;
    if (fedBy === null || tags.length === 0) return NONE;
    let known = this.known.get(tags);
    if (known?.fedBy !== fedBy) {
      known = { fedBy, names: fedBy.namesOf(tags) };
      this.known.set(tags, known);
    }
    return known.names;
  }
}

const NONE: readonly string[] = [];
