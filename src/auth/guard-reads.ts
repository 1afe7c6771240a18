import type { RouteAuthConfig } from '../config/model.ts';
import {
  compileExpression,
  compileTemplate,
  extendScope,
  type Looks,
  responseScope,
  type Scope,
} from '../expression/index.ts';

/** Does a guard look at what is looked for? */
export function guardReads(config: RouteAuthConfig | null, scope: Scope, looks: Looks): boolean {
  if (config === null) return false;
  const { allow, opa, authzen, allowResponse } = config;
  const withResponse = extendScope(scope, { response: responseScope.variables.get('response')! });
  const expressions = [
    [allow, scope],
    [opa?.input ?? null, scope],
    [allowResponse, withResponse],
  ] as const;
  if (expressions.some(([source, at]) => source !== null && looks(compileExpression(source, at).mentions)))
    return true;
  const templates = (authzen?.evaluations ?? []).flatMap(({ action, resourceType, resourceId }) => [
    action,
    resourceType,
    resourceId,
  ]);
  return templates.some((template) => template !== null && looks(compileTemplate(template, scope).mentions));
}
