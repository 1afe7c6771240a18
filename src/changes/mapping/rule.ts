import type { ChangeRuleConfig } from '../../config/model.ts';
import {
  compileExpression,
  compileTemplate,
  EvaluationFailure,
  type Program,
  type TextTemplate,
} from '../../expression/index.ts';
import { canonical, type Row, type RowChange, UNKNOWN } from '../contract.ts';
import { type Family, familyOf } from './family.ts';
import { otherSpelled } from './other-spelled.ts';
import { ChangeVariables, RowVariables } from './row-view.ts';
import { changeScope, rowScope } from './scope.ts';

/** Where the tags of a change go. */
export interface TagCollector {
  tag(tag: string, family: string): void;
  /** One of these tags is touched, it can't be said which; `why` where that is a fault of the mapping. */
  family(family: string, why: string | null): void;
}

interface TagTemplate {
  readonly family: Family;
  readonly template: TextTemplate;
  readonly source: string;
  /** That it reads; null: all of them. */
  readonly columns: ReadonlySet<string> | null;
}

/** `change.before` otherwise than to read a column of it, or to ask whether it is there. */
const WHOLE_ROW = /\bchange\s*\.\s*(?:before|after)\b(?!\s*(?:\.|\[\s*["']|[=!]=\s*null\b))/;

/** One rule of a table, compiled. Fails on no row: what can't be evaluated counts as all it could have meant. */
export class Rule {
  readonly families: readonly Family[];
  private readonly templates: readonly TagTemplate[];
  private readonly when: Program | null;
  private readonly readsWholeRows: boolean;
  private readonly watched: readonly string[] | null;
  private readonly row = new RowVariables();
  private readonly change = new ChangeVariables();

  constructor(source: string, config: ChangeRuleConfig) {
    this.templates = config.tags.map((text) => {
      const template = compileTemplate(text, rowScope, { pure: true });
      const family = familyOf(source, template.literals);
      return { template, family, source: String(text), columns: columnsOf(template) };
    });
    this.families = this.templates.map(({ family }) => family);
    this.when =
      config.when === null
        ? null
        : compileExpression(config.when, changeScope, { expects: 'bool', pure: true });
    this.readsWholeRows = typeof config.when === 'string' && WHOLE_ROW.test(config.when);
    this.watched = config.columns;
  }

  /** Null: all of them. */
  columns(): ReadonlySet<string> | null {
    if (this.readsWholeRows) return null;
    const columns = new Set(this.watched ?? []);
    for (const { columns: own } of this.templates) {
      if (own === null) return null;
      for (const column of own) columns.add(column);
    }
    for (const mention of this.when?.mentions ?? []) {
      const [, image, column] = mention.split('.');
      if (image === undefined) return null;
      if (column !== undefined) columns.add(column);
    }
    return columns;
  }

  collect(change: RowChange, into: TagCollector): void {
    if (change.op === 'truncate') {
      for (const { family } of this.templates) into.family(family.name, null);
      return;
    }
    if (!this.concerns(change)) return;
    if (change.before !== null) this.render(change.before, into);
    if (change.after !== null) this.render(change.after, into);
  }

  /** A condition that fails, or looks at what was not sent, is taken to hold: never too little. */
  private concerns({ op, before, after }: RowChange): boolean {
    if (this.watched !== null && op === 'update' && before !== null && after !== null) {
      if (this.watched.every((column) => isUnchanged(before, after, column))) return false;
    }
    if (this.when === null) return true;
    this.change.show(op, before, after);
    try {
      return this.when.evaluate(this.change) === true || this.change.missed;
    } catch (error) {
      if (error instanceof EvaluationFailure) return true;
      throw error;
    }
  }

  private render(row: Row, into: TagCollector): void {
    for (const tag of this.templates) {
      if (!this.renderAs(row, tag, into)) continue;
      const others = otherSpelled(row, tag.columns);
      if (others === null) into.family(tag.family.name, null);
      else for (const other of others) this.renderOther(other, tag, into);
    }
  }

  /** False where the whole family stands in for the tag, or there is none. */
  private renderAs(row: Row, { template, family, source }: TagTemplate, into: TagCollector): boolean {
    const view = this.row.row.show(row);
    view.missed = false;
    try {
      const tags = template.renderAll(this.row);
      if (view.missed) into.family(family.name, null);
      else for (const tag of tags) if (tag !== '') into.tag(tag, family.name);
      return !view.missed;
    } catch (error) {
      if (!(error instanceof EvaluationFailure)) throw error;
      if (view.missed) into.family(family.name, null);
      // No entry can carry a tag of null: an answer without the value is not stored.
      else if (error.kind !== 'null')
        into.family(family.name, `the tag ${source} can not be made: ${error.message}`);
      return false;
    }
  }

  /** A template that takes a value in one spelling alone (`lowerAscii()` of a text) has no tag of the others. */
  private renderOther(row: Row, { template, family }: TagTemplate, into: TagCollector): void {
    this.row.row.show(row);
    try {
      for (const tag of template.renderAll(this.row)) if (tag !== '') into.tag(tag, family.name);
    } catch (error) {
      if (!(error instanceof EvaluationFailure)) throw error;
    }
  }
}

function columnsOf({ mentions }: TextTemplate): ReadonlySet<string> | null {
  if (mentions.has('row')) return null;
  return new Set([...mentions].map((mention) => mention.split('.')[1]!));
}

function isUnchanged(before: Row, after: Row, column: string): boolean {
  const was = before.get(column);
  const is = after.get(column);
  if (was === UNKNOWN || is === UNKNOWN || was === undefined || is === undefined) return false;
  const old = canonical(was);
  const now = canonical(is);
  return (
    old === now || (typeof old === 'object' && JSON.stringify(plain(old)) === JSON.stringify(plain(now)))
  );
}

/** For comparison alone. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Map) return [...value].map(([key, item]) => [plain(key), plain(item)]);
  return Array.isArray(value) ? value.map(plain) : value;
}
