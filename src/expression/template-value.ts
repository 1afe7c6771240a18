import type { Template } from '../config/model.ts';
import { DEFAULT_BUDGET, Frame } from './frame.ts';
import { compileFunction } from './native.ts';
import { failureFrom } from './program.ts';
import type { Scope } from './scope.ts';
import { compileTemplate } from './template.ts';
import { compileParts } from './template-parts.ts';
import type { Value, Variables } from './value.ts';

/** A template whose value may be of any shape. */
export interface ValueTemplate {
  /** Throws an EvaluationFailure. */
  evaluate(variables: Variables): Value;
}

/**
 * Compiles a template that is asked for its value: where it is a single `{CEL}`, or a function, what that
 * yields, as it is; else a text. Throws an ExpressionError.
 */
export function compileTemplateValue(source: Template, scope: Scope): ValueTemplate {
  const run = typeof source === 'function' ? compileFunction(source, scope).run : loneHole(source, scope);
  if (run === null) {
    const template = compileTemplate(source, scope);
    return { evaluate: (variables) => template.render(variables) };
  }
  return {
    evaluate(variables) {
      try {
        return run(new Frame(variables, DEFAULT_BUDGET));
      } catch (error) {
        throw failureFrom(error, 'other');
      }
    },
  };
}

function loneHole(source: string, scope: Scope) {
  const parts = compileParts(source, scope, false);
  const [only] = parts;
  return parts.length === 1 && only!.kind === 'hole' ? only!.code.run : null;
}
