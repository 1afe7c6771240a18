import { aggregateScope, attemptNothing, compileAnswer, compileCallPrograms } from '../aggregate/index.ts';
import type { AggregateConfig, Expression } from '../config/model.ts';
import { compileExpression, compileTemplate, type Looks, type Scope } from '../expression/index.ts';

/** Does any template in this part of a config look at what is looked for? */
export function templatesRead(part: unknown, scope: Scope, looks: Looks): boolean {
  if (typeof part === 'function') return templateReads(part as () => unknown, scope, looks);
  if (typeof part === 'string') return part.includes('{') && templateReads(part, scope, looks);
  if (typeof part !== 'object' || part === null || Buffer.isBuffer(part)) return false;
  // The literal body of `respond` is no template.
  return Object.entries(part).some(([key, value]) => key !== 'text' && templatesRead(value, scope, looks));
}

/** The same for an expression, which stands without braces. */
export function expressionReads(source: Expression | null, scope: Scope, looks: Looks): boolean {
  return source !== null && looks(compileExpression(source, scope).mentions);
}

function templateReads(template: string | (() => unknown), scope: Scope, looks: Looks): boolean {
  try {
    return looks(compileTemplate(template, scope).mentions);
  } catch {
    // No template: then it mentions nothing.
    return false;
  }
}

/** The same for all expressions of an aggregate. */
export function aggregateReads(config: AggregateConfig, scope: Scope, looks: Looks): boolean {
  const { calls } = config;
  const all = aggregateScope(calls, scope);
  const ofCalls = calls.flatMap((call) => {
    const programs = compileCallPrograms(call, calls, all, attemptNothing);
    return [...programs.reads, ...programs.undoReads];
  });
  const { status, body } = compileAnswer(config, all, attemptNothing);
  const ofAnswer = [status, body].map((program) => program?.mentions ?? NOTHING);
  return (
    [...ofCalls, ...ofAnswer].some(looks) ||
    Object.values(config.headers)
      .flat()
      .some((template) => templatesRead(template, all, looks))
  );
}

const NOTHING: ReadonlySet<string> = new Set();
