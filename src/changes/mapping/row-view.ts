import type { Fields, Value, Variables } from '../../expression/index.ts';
import { canonical, type Operation, type Row, UNKNOWN } from '../contract.ts';

class Unsent extends Error {}
const unsent = new Unsent('the database did not send this value');

/** A row as expressions see it. Whatever looks at a value that was not sent fails, and that is remembered. */
class RowView implements Fields {
  private row: Row = new Map();
  missed = false;

  show(row: Row): this {
    this.row = row;
    return this;
  }

  get(column: string): Value | undefined {
    const cell = this.row.get(column);
    if (cell !== UNKNOWN) return cell === undefined ? cell : canonical(cell);
    this.missed = true;
    throw unsent;
  }

  entries(): [string, Value][] {
    return [...this.row.keys()].map((column) => [column, this.get(column)!]);
  }
}

/** `row`. */
export class RowVariables implements Variables {
  readonly row = new RowView();

  get(name: string): Value | undefined {
    return name === 'row' ? this.row : undefined;
  }
}

/** `change`. */
export class ChangeVariables implements Variables {
  private readonly beforeView = new RowView();
  private readonly afterView = new RowView();
  private change: ReadonlyMap<string, Value> = new Map();

  show(op: Operation, before: Row | null, after: Row | null): void {
    this.beforeView.missed = false;
    this.afterView.missed = false;
    this.change = new Map<string, Value>([
      ['op', op],
      ['before', before === null ? null : this.beforeView.show(before)],
      ['after', after === null ? null : this.afterView.show(after)],
    ]);
  }

  get missed(): boolean {
    return this.beforeView.missed || this.afterView.missed;
  }

  get(name: string): Value | undefined {
    return name === 'change' ? this.change : undefined;
  }
}
