export { EvaluationFailure, ExpressionError, type Problem } from './failure.ts';
export { namesSaid } from './function-text.ts';
export { JsonError, parseJson, toJson } from './json.ts';
export { compileJsonTemplates } from './json-template.ts';
export {
  isPartOf,
  type Looks,
  leavesOf,
  originOf,
  reads,
  readsCookies,
  readsPartOf,
  readsRequestBody,
} from './mentions.ts';
export { compilePath, type PathTemplate } from './path.ts';
export { compileExpression, type ExpressionOptions, type Program } from './program.ts';
export {
  ExchangeVariables,
  errorVariables,
  type Identity,
  LayeredVariables,
  ResponseFields,
  ResponseVariables,
  recordFields,
} from './request.ts';
export { HeaderFields, readCookies } from './request-fields.ts';
export {
  callScope,
  errorScope,
  extendScope,
  identityScope,
  logScope,
  requestScope,
  responseScope,
  routeScope,
  type Scope,
} from './scope.ts';
export { asSpelt } from './spelling.ts';
export { compileTemplate, type TemplateOptions, type TextTemplate } from './template.ts';
export { compileTemplateValue, type ValueTemplate } from './template-value.ts';
export { DOUBLE, DYN, INT, listOf, mapOf, recordOf, STRING } from './types.ts';
export {
  CelType,
  Duration,
  type Fields,
  hasMembers,
  Timestamp,
  Uint,
  type Value,
  type Variables,
  Verbatim,
  type VerbatimSource,
} from './value.ts';
export type { CallKinds } from './verbatim.ts';
