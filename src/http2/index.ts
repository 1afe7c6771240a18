export { Http2ClientConnection } from './client-connection.ts';
export type { Http2ConnectionOwner } from './client-contract.ts';
export type { ClientStream } from './client-stream.ts';
export { Http2ServerConnection } from './server-connection.ts';
