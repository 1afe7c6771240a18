import type { Template } from '../config/model.ts';
import {
  compileTemplate,
  EvaluationFailure,
  type Scope,
  type TextTemplate,
  type Variables,
} from '../expression/index.ts';
import { isHeaderValue } from '../http/headers.ts';

/** One configured header: what its lines are for one exchange. */
export interface HeaderLines {
  /** As the configuration spells it. */
  readonly name: string;
  /** The lines where no expression is in them, else null. */
  readonly constant: readonly string[] | null;
  /** The lines, none where all of them failed or are empty. Never throws for a failed evaluation. */
  values(vars: Variables): readonly string[];
}

/**
 * Compiles configured headers: each entry of a list makes a line, an expression that yields a list a line for
 * each element. What fails, is empty, or can't be a header's value leaves its line out.
 *
 * @throws ExpressionError
 */
export function compileHeaders(
  headers: Readonly<Record<string, Template | Template[]>>,
  scope: Scope,
): HeaderLines[] {
  return Object.entries(headers).map(([name, templates]) => compileLines(name, templates, scope));
}

function compileLines(name: string, templates: Template | Template[], scope: Scope): HeaderLines {
  const compiled = (Array.isArray(templates) ? templates : [templates]).map((template) =>
    compileTemplate(template, scope, { into: 'header' }),
  );
  if (compiled.every((template) => template.constant !== null)) {
    const constant = compiled.flatMap((template) => usable([template.constant!]));
    return { name, constant, values: () => constant };
  }
  const single = compiled.length === 1 ? compiled[0]! : null;
  const values =
    single === null
      ? (vars: Variables) => compiled.flatMap((one) => lines(one, vars))
      : (vars: Variables) => lines(single, vars);
  return { name, constant: null, values };
}

function lines(template: TextTemplate, vars: Variables): readonly string[] {
  try {
    return usable(template.renderAll(vars));
  } catch (error) {
    if (error instanceof EvaluationFailure) return NONE;
    throw error;
  }
}

const NONE: readonly string[] = [];

/** A template for a header leaves it free of blanks around it, and one character for each byte. */
function usable(values: readonly string[]): readonly string[] {
  return values.filter((value) => value !== '' && isHeaderValue(value));
}
