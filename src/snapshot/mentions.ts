import { aggregateScope, attemptNothing, compileAnswer, compileCallPrograms } from '../aggregate/index.ts';
import type { AggregateConfig, Expression } from '../config/model.ts';
import { compileExpression, compileTemplate, reads, type Scope } from '../expression/index.ts';

/**
 * Does any template in this part of a config look into `request.body`? Only then is a body read before its
 * request goes on.
 */
export function mentionsBody(part: unknown, scope: Scope): boolean {
  if (typeof part === 'function') return templateMentionsBody(part as () => unknown, scope);
  if (typeof part === 'string') return part.includes('{') && templateMentionsBody(part, scope);
  if (typeof part !== 'object' || part === null || Buffer.isBuffer(part)) return false;
  // The literal body of `respond` is no template.
  return Object.entries(part).some(([key, value]) => key !== 'text' && mentionsBody(value, scope));
}

/** The same for an expression, which stands without braces. */
export function expressionMentionsBody(source: Expression | null, scope: Scope): boolean {
  return source !== null && reads(compileExpression(source, scope).mentions, 'request.body');
}

function templateMentionsBody(template: string | (() => unknown), scope: Scope): boolean {
  try {
    return reads(compileTemplate(template, scope).mentions, 'request.body');
  } catch {
    // No template: then it mentions nothing.
    return false;
  }
}

/** Does any expression of an aggregate look into `request.body`? Then it is read before anything is sent. */
export function aggregateReadsBody(config: AggregateConfig, scope: Scope): boolean {
  const { calls } = config;
  const all = aggregateScope(calls, scope);
  const ofCalls = calls.flatMap((call) => {
    const programs = compileCallPrograms(call, calls, all, attemptNothing);
    return [...programs.reads, ...programs.undoReads];
  });
  const { status, body } = compileAnswer(config, all, attemptNothing);
  const ofAnswer = [status, body].map((program) => program?.mentions ?? NOTHING);
  return (
    [...ofCalls, ...ofAnswer].some((mentioned) => reads(mentioned, 'request.body')) ||
    Object.values(config.headers)
      .flat()
      .some((template) => mentionsBody(template, all))
  );
}

const NOTHING: ReadonlySet<string> = new Set();
