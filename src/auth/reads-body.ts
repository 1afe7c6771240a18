import type { Expression, RouteAuthConfig } from '../config/model.ts';
import {
  compileExpression,
  compileTemplate,
  extendScope,
  reads,
  responseScope,
  type Scope,
} from '../expression/index.ts';

/** Does a guard look into `request.body`? Only then is a body read, and only of those who may come in. */
export function guardReadsBody(config: RouteAuthConfig | null, scope: Scope): boolean {
  if (config === null) return false;
  const { allow, opa, authzen, allowResponse } = config;
  const withResponse = extendScope(scope, { response: responseScope.variables.get('response')! });
  const expressions = [
    [allow, scope],
    [opa?.input ?? null, scope],
    [allowResponse, withResponse],
  ] as const;
  if (expressions.some(([source, at]) => source !== null && inExpression(source, at))) return true;
  const templates = (authzen?.evaluations ?? []).flatMap(({ action, resourceType, resourceId }) => [
    action,
    resourceType,
    resourceId,
  ]);
  return templates.some(
    (template) => template !== null && reads(compileTemplate(template, scope).mentions, 'request.body'),
  );
}

function inExpression(source: Expression, scope: Scope): boolean {
  return reads(compileExpression(source, scope).mentions, 'request.body');
}
