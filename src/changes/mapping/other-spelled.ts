import type { Value } from '../../expression/index.ts';
import { type Cell, type Row, Spelled } from '../contract.ts';
import { otherSpellings } from './values.ts';

/** Three decimals in one tag have as many spellings. */
const MOST = 64;

/**
 * The row in the other ways in which services may spell it: each spelling of one column beside each of another. Null:
 * there are too many.
 *
 * @param columns Those that are looked at; null: all of them.
 */
export function otherSpelled(row: Row, columns: ReadonlySet<string> | null): Row[] | null {
  const rows: Row[] = [row];
  for (const column of columns ?? row.keys()) {
    const others = otherValues(row.get(column));
    if (others.length === 0) continue;
    if (rows.length * (others.length + 1) > MOST) return null;
    rows.push(...rows.flatMap((one) => others.map((value) => new Map([...one, [column, value]]))));
  }
  return rows.slice(1);
}

function otherValues(cell: Cell | undefined): readonly Value[] {
  if (typeof cell === 'string') return otherSpellings(cell);
  if (!(cell instanceof Spelled)) return [];
  return typeof cell.value === 'string' ? [...cell.others, ...otherSpellings(cell.value)] : cell.others;
}
