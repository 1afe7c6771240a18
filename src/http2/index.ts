export { Http2ClientConnection } from './client-connection.ts';
export type { Http2ConnectionOwner } from './client-contract.ts';
export { Http2ServerConnection } from './server-connection.ts';
