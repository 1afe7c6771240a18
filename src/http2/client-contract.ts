import type { Failure } from '../http/errors.ts';
import type { Http2ClientConnection } from './client-connection.ts';

/** The pool a connection of HTTP/2 belongs to. */
export interface Http2ConnectionOwner {
  /** The other side is there; that it speaks HTTP/2, and over TLS, is still to be seen. */
  reached(connection: Http2ClientConnection): void;
  /** The service has said its first word: requests may be sent. */
  opened(connection: Http2ClientConnection): void;
  refused(connection: Http2ClientConnection, failure: Failure): void;
  /** There may be place for another request: one has ended, or the service takes more. */
  eased(connection: Http2ClientConnection): void;
  /** It takes no more requests; what is under way on it ends. */
  leaving(connection: Http2ClientConnection): void;
  closed(connection: Http2ClientConnection): void;
}
