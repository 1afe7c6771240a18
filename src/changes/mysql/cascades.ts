import { type Cell, canonical, type Row, type RowChange, type Touched, UNKNOWN } from '../contract.ts';

/** A foreign key by which rows change that the log says nothing of. */
export interface ForeignKey {
  /** `database.table` that refers, and the one that it refers to. */
  readonly child: string;
  readonly parent: string;
  /** Of the parent. */
  readonly columns: readonly string[];
  /** CASCADE, SET NULL or SET DEFAULT. */
  readonly onDelete: boolean;
  readonly onUpdate: boolean;
}

/**
 * What InnoDB changes by itself, by foreign keys: it writes the row that was deleted into the log, and nothing of those that
 * went with it. So whatever a followed table could have tagged is touched with a row that it refers to, however far away.
 */
export class Cascades {
  /** Tables whose rows take others with them. */
  readonly parents: ReadonlySet<string>;
  private readonly keys: readonly ForeignKey[];
  private readonly followed: ReadonlySet<string>;

  constructor(keys: readonly ForeignKey[], followed: ReadonlySet<string>) {
    this.keys = keys.filter(({ onDelete, onUpdate }) => onDelete || onUpdate);
    this.followed = followed;
    this.parents = new Set(this.keys.map(({ parent }) => parent));
  }

  /** Referenced columns of a table: all that has to be known of its rows. */
  columnsOf(table: string): ReadonlySet<string> {
    return new Set(this.keys.flatMap(({ parent, columns }) => (parent === table ? columns : [])));
  }

  touch(change: RowChange, touched: Touched): void {
    if (!this.parents.has(change.table)) return;
    const children = this.keys.filter((key) => key.parent === change.table && acts(key, change));
    for (const { child } of children)
      for (const table of this.reachedFrom(child)) if (this.followed.has(table)) touched.spoil(table, null);
  }

  /** The table, and all that change with its rows in turn. */
  private reachedFrom(table: string): ReadonlySet<string> {
    const found = new Set([table]);
    // A set that grows while it is walked is walked to its end.
    for (const one of found) for (const { parent, child } of this.keys) if (parent === one) found.add(child);
    return found;
  }
}

function acts({ columns, onDelete, onUpdate }: ForeignKey, { op, before, after }: RowChange): boolean {
  if (op === 'delete') return onDelete;
  if (op !== 'update' || !onUpdate || before === null || after === null) return false;
  return columns.some((column) => differs(cellOf(before, column), cellOf(after, column)));
}

function cellOf(row: Row, column: string): Cell {
  return row.get(column) ?? null;
}

/** What was not sent may be another. */
function differs(before: Cell, after: Cell): boolean {
  return before === UNKNOWN || after === UNKNOWN || canonical(before) !== canonical(after);
}

const CONSTRAINT = /^\s*CONSTRAINT `((?:[^`]|``)+)` FOREIGN KEY .*$/gm;
const ACTION = '(?:CASCADE|SET NULL|SET DEFAULT)';

/** Of a statement as `SHOW CREATE TABLE` gives it: what its foreign keys do, by their names. */
export function actionsIn(statement: string): Map<string, Pick<ForeignKey, 'onDelete' | 'onUpdate'>> {
  return new Map(
    [...statement.matchAll(CONSTRAINT)].map(([line, name]) => [
      name!.replaceAll('``', '`'),
      {
        onDelete: new RegExp(`ON DELETE ${ACTION}`).test(line),
        onUpdate: new RegExp(`ON UPDATE ${ACTION}`).test(line),
      },
    ]),
  );
}
