export {
  ClientConnection,
  type ConnectionOwner,
  type Endpoint,
  type OutgoingRequest,
  type ResponseHandler,
} from './client-connection.ts';
export type { ResponseHead } from './head.ts';
export { Kind, kindOf } from './kinds.ts';
export { Listener, type ListenerSettings, type RequestHandler, type TlsSettings } from './listener.ts';
export { Framing } from './response-head.ts';
export type { ServerLimits } from './server-connection.ts';
