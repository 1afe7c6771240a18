export { Http2Connection } from './server-connection.ts';
