/** What a cache knows of the change sources that keep it right. `changes/` is one; it stands above. */
export interface FedBy {
  /** Tags of which changes are not followed now: nothing that carries one is answered. Null: there is none. */
  readonly withheld: ReadonlySet<string> | null;
  /** Tags whose changes come late: what carries one is answered, and says so. Null: there is none. */
  readonly lagging: ReadonlySet<string> | null;
  /**
   * What an entry carries beside its tags, so that changes whose tags can't be known reach it too. Null: it must not
   * be stored, since changes of its tags are not followed now, or are not shown by all origins yet.
   */
  familiesOf(tags: readonly string[]): string[] | null;
  /** Under which names changes reach these tags where they can't name them, whether changes are followed now or not. */
  namesOf(tags: readonly string[]): readonly string[];
  /**
   * The positions that a request names in `tidegate-after`: `reached` at once, else `done` is called; `behind` after
   * the time that it may wait. Or what is wrong with them.
   */
  waitFor(
    value: string,
    done: (outcome: 'reached' | 'behind') => void,
  ): 'reached' | { readonly detail: string } | { cancel(): void };
}
