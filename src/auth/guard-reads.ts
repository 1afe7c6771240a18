import type { RouteAuthConfig } from '../config/model.ts';
import {
  compileExpression,
  compileTemplate,
  extendScope,
  type Looks,
  responseScope,
  type Scope,
} from '../expression/index.ts';
import { USUAL_INPUT } from './questions.ts';

const AUTHZEN_CONTEXT: ReadonlySet<string> = new Set([
  'request.method',
  'request.path',
  'request.host',
  'request.ip',
]);

/** Does a guard look at what is looked for? */
export function guardReads(config: RouteAuthConfig | null, scope: Scope, looks: Looks): boolean {
  if (config === null) return false;
  const { allow, opa, authzen, allowResponse } = config;
  const withResponse = extendScope(scope, { response: responseScope.variables.get('response')! });
  // Of these a decision point is told, whatever else it is asked (`questions.ts`).
  if (authzen !== null && looks(AUTHZEN_CONTEXT)) return true;
  const expressions = [
    [allow, scope],
    [opa === null ? null : (opa.input ?? USUAL_INPUT), scope],
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
