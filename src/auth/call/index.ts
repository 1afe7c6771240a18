export { Endpoint, type EndpointParts } from './endpoint.ts';
export type { AnswerOfCall } from './endpoint-call.ts';
