import { nearest } from '../../util/suggest.ts';
import type { PositionKind } from '../positions/index.ts';

/** The request header by which a client asks for answers that are not older than what it has seen. */
const AFTER_HEADER = 'tidegate-after';

/** A position that a client has asked for. */
export interface Asked {
  readonly source: string;
  /** As its kind has parsed it. */
  readonly position: unknown;
}

/** A value that makes no sense; `detail` says what was expected. */
export class BadAfter {
  readonly detail: string;

  constructor(detail: string) {
    this.detail = detail;
  }
}

const MOST = 4096;

/**
 * Reads `shop=0/16B3748, stock=0-1-42`: source and position, as the database spells it. A comma ends an entry only
 * where a name and `=` follow: sets of GTIDs have commas of their own.
 */
export function parseAfter(value: string, kinds: ReadonlyMap<string, PositionKind>): Asked[] | BadAfter {
  if (value.length > MOST) return new BadAfter(`${AFTER_HEADER} may have ${MOST} characters.`);
  const asked: Asked[] = [];
  for (const entry of value.split(/,(?=\s*[A-Za-z][\w-]*=)/)) {
    const text = withoutEmptyMembers(entry);
    if (text === '') continue;
    const [, source, position = ''] = /^([A-Za-z][\w-]*)=(.*)$/s.exec(text) ?? [];
    if (source === undefined)
      return new BadAfter(`${AFTER_HEADER} is not a source and its position: ${expected(kinds)}.`);
    const kind = kinds.get(source);
    if (kind === undefined) return new BadAfter(unknownSource(source, kinds));
    const parsed = kind.parse(position);
    if (parsed === null)
      return new BadAfter(
        `The position of ${source} in ${AFTER_HEADER} is not one: expected ${kind.expects}.`,
      );
    asked.push({ source, position: parsed });
  }
  return asked;
}

/** They mean nothing in a list (RFC 9110 §5.6.1); so a line of the field may be empty, too. */
function withoutEmptyMembers(entry: string): string {
  const isEmpty = (at: number) => entry[at] === ',' || entry[at] === ' ' || entry[at] === '\t';
  let from = 0;
  let to = entry.length;
  while (from < to && isEmpty(from)) from++;
  while (to > from && isEmpty(to - 1)) to--;
  return entry.slice(from, to);
}

function unknownSource(name: string, kinds: ReadonlyMap<string, PositionKind>): string {
  const meant = nearest(name, kinds.keys());
  const told = meant === null ? expected(kinds) : `did you mean ${meant}?`;
  return `There is no change source ${name}: ${told}${told.endsWith('?') ? '' : '.'}`;
}

function expected(kinds: ReadonlyMap<string, PositionKind>): string {
  const [first] = kinds;
  if (first === undefined) return 'this gateway follows none';
  return `expected ${first[0]}=POSITION with ${first[1].expects}`;
}
