export {
  EvaluationFailure,
  ExpressionError,
  type FailureKind,
  type FailureOrigin,
  type Problem,
} from './failure.ts';
export { DEFAULT_BUDGET } from './frame.ts';
export { JsonError, type JsonOptions, parseJson, toJson } from './json.ts';
export { compileJsonTemplates, type JsonTemplate } from './json-template.ts';
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
export { compilePath, type PathTemplate, type RenderedPath } from './path.ts';
export { compileExpression, type ExpressionOptions, type Program } from './program.ts';
export {
  type ExchangeOptions,
  ExchangeVariables,
  errorVariables,
  type Identity,
  LayeredVariables,
  ResponseFields,
  ResponseVariables,
  recordFields,
} from './request.ts';
export { HeaderFields, readCookies, readQuery } from './request-fields.ts';
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
export { compileTemplate, type TemplateOptions, type TextTemplate } from './template.ts';
export { compileTemplateValue, type ValueTemplate } from './template-value.ts';
export { BOOL, DOUBLE, DYN, INT, listOf, mapOf, recordOf, STRING, type Type } from './types.ts';
export {
  CelType,
  Duration,
  type Fields,
  hasMembers,
  Uint,
  type Value,
  type Variables,
  Verbatim,
  type VerbatimSource,
} from './value.ts';
export type { CallKinds } from './verbatim.ts';
