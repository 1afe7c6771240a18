import type { Template } from '../config/model.ts';
import { ExpressionError, type Problem } from './failure.ts';
import type { Scope } from './scope.ts';
import { compileTemplate, type TextTemplate } from './template.ts';
import type { Variables } from './value.ts';

/** A JSON document whose texts are templates. */
export interface JsonTemplate {
  readonly mentions: ReadonlySet<string>;
  render(variables: Variables): Buffer;
}

/**
 * Compiles a plain value of a config. Every text in it is a template and stays a text, as what a function gives is; names of members are
 * as they stand. Problems carry the path to the text they are about.
 */
export function compileJsonTemplates(value: unknown, scope: Scope): JsonTemplate {
  const writer = new Writer(scope);
  writer.write(value, []);
  if (writer.problems.length > 0) throw new ExpressionError(writer.problems);
  const pieces = writer.finish();
  const mentions = new Set(pieces.flatMap((piece) => (typeof piece === 'string' ? [] : [...piece.mentions])));
  if (pieces.every((piece) => typeof piece === 'string')) {
    const constant = Buffer.from(pieces.join(''));
    return { mentions, render: () => constant };
  }
  const render = (variables: Variables): Buffer =>
    Buffer.from(
      pieces
        .map((piece) => (typeof piece === 'string' ? piece : JSON.stringify(piece.render(variables))))
        .join(''),
    );
  return { mentions, render };
}

class Writer {
  readonly problems: Problem[] = [];
  private readonly pieces: (string | TextTemplate)[] = [];
  private readonly scope: Scope;
  private literal = '';

  constructor(scope: Scope) {
    this.scope = scope;
  }

  finish(): readonly (string | TextTemplate)[] {
    if (this.literal !== '') this.pieces.push(this.literal);
    this.literal = '';
    return this.pieces;
  }

  write(value: unknown, path: readonly (string | number)[]): void {
    if (typeof value === 'string' || typeof value === 'function') this.text(value as Template, path);
    else if (Array.isArray(value)) this.list(value, path);
    else if (typeof value === 'object' && value !== null) this.object(value, path);
    else this.literal += typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'null');
  }

  private text(source: Template, path: readonly (string | number)[]): void {
    try {
      const template = compileTemplate(source, this.scope, { single: true });
      if (template.constant !== null) {
        this.literal += JSON.stringify(template.constant);
        return;
      }
      this.pieces.push(this.literal, template);
      this.literal = '';
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      this.problems.push(...error.problems.map((problem) => ({ ...problem, path })));
    }
  }

  private list(items: readonly unknown[], path: readonly (string | number)[]): void {
    this.literal += '[';
    items.forEach((item, i) => {
      if (i > 0) this.literal += ',';
      this.write(item, [...path, i]);
    });
    this.literal += ']';
  }

  private object(members: object, path: readonly (string | number)[]): void {
    this.literal += '{';
    Object.entries(members).forEach(([name, member], i) => {
      this.literal += `${i > 0 ? ',' : ''}${JSON.stringify(name)}:`;
      this.write(member, [...path, name]);
    });
    this.literal += '}';
  }
}
