export { Endpoint, type EndpointParts } from './endpoint.ts';
export type { AnswerOfCall, RequestOfCall } from './endpoint-call.ts';
