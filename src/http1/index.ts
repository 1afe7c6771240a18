export { connectFailure } from './answer-rules.ts';
export { ClientConnection } from './client-connection.ts';
export type {
  Carrier,
  ConnectionOwner,
  Endpoint,
  OutgoingRequest,
  ResponseHandler,
} from './client-contract.ts';
export type { NodeClients } from './client-count.ts';
export { parseRequestHead, RequestHead, ResponseHead } from './head.ts';
export { endsAtConnection, Kind, kindOf } from './kinds.ts';
export { type AcceptHttp2, Listener, type ListenerSettings, type RequestHandler } from './listener.ts';
export { Framing } from './response-head.ts';
export type { OpenConnection, ServerContext } from './server-context.ts';
export { ServerTls } from './server-tls.ts';
export { resolveTarget } from './target.ts';
export { trailersOf } from './trailers.ts';
