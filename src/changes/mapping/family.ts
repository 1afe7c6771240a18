/**
 * A family is the set of tags that a template can yield, known by the texts around what is filled in: `order:*`.
 * Entries carry the names of the families that their tags belong to, as tags beside them; so one fence reaches all
 * that a table could have tagged, where the tags themselves can't be known: after TRUNCATE, for an old row that
 * was not sent, after a gap.
 */
export interface Family {
  /** The tag by which entries carry it. No tag of a config can be equal to one: unless it stands for one tag alone. */
  readonly name: string;
  includes(tag: string): boolean;
}

/** Of a template of a source, by the texts around its holes. A template that is one text is its own family. */
export function familyOf(source: string, literals: readonly string[]): Family {
  const first = literals[0]!;
  if (literals.length === 1) return { name: first, includes: (tag) => tag === first };
  const last = literals.at(-1)!;
  const least = first.length + last.length;
  return {
    name: `\0change ${source} ${literals.join('*')}`,
    includes: (tag) => tag.length >= least && tag.startsWith(first) && tag.endsWith(last),
  };
}

/** Names of families begin so. */
const FAMILY_MARK = '\0change ';

/** A tag as people write it: of a family, the template with `*` for what is filled in. */
export function shownFamily(tag: string): string {
  return tag.startsWith(FAMILY_MARK) ? tag.slice(tag.indexOf(' ', FAMILY_MARK.length) + 1) : tag;
}
