import { canonical, type Row, UNKNOWN } from '../contract.ts';

/** What a key is most often called. */
const USUAL_KEY = ['id'];
const LONGEST = 100;

/** The values of a row's key, for people; null where they are not known. */
export function keyOf(row: Row | null, columns: readonly string[] = USUAL_KEY): string | null {
  if (row === null || columns.length === 0) return null;
  const values: string[] = [];
  for (const column of columns) {
    const cell = row.get(column);
    if (cell === undefined || cell === UNKNOWN) return null;
    const value = canonical(cell);
    if (value === null || typeof value === 'object') return null;
    values.push(String(value));
  }
  const text = values.join(',');
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}
