import type { ConnectionOptions } from 'node:tls';
import type { Body } from '../http/body.ts';
import type { Failure } from '../http/errors.ts';
import type { Tunnel } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ResponseHead } from './head.ts';
import type { Framing } from './response-head.ts';

/** Where a connection goes. `tls` as `tls.connect` takes it; null for plain TCP. */
export interface Endpoint {
  /** An IP address, or the path of a Unix socket. */
  readonly address: string;
  readonly port: number;
  readonly tls: ConnectionOptions | null;
}

/** One request as it goes out, in the words of HTTP/1.1. Milliseconds, Infinity for none. */
export interface OutgoingRequest {
  readonly method: string;
  /** Request line, headers with their framing, and the empty line. */
  readonly head: string;
  readonly framing: Framing;
  readonly body: Body;
  /** The protocol that the head asks to switch to, or null. */
  readonly upgrade: string | null;
  /** From the end of the request to the head of its answer, for this try. */
  readonly firstByte: number;
  /** Longest pause without a byte, after the head, and while a body goes up. */
  readonly idle: number;
}

/**
 * What carries a request to a service and its answer back: a connection of HTTP/1.1, which goes on to the next
 * request, or one stream of HTTP/2.
 */
export interface Carrier {
  send(request: OutgoingRequest, handler: ResponseHandler): void;
  /** Whoever asked gives up. */
  cancel(who: ResponseHandler): void;
  /** Ends the answer with this body as one that failed, if it is still under way. */
  abort(body: Body, failure: Failure): void;
  /** The answer is a stream without end, which counts no more among what may be under way. */
  detach(): void;
  /** Has had several requests sent on it ahead of their answers. */
  readonly shared: boolean;
  /**
   * A connection that was kept from earlier requests ended before any byte of this one's answer: its service may
   * have closed it just as the request was on its way.
   */
  readonly stale: boolean;
  /** The service has said that it did nothing about the request (RFC 9113 §8.7): any request may be sent again. */
  readonly unprocessed: boolean;
}

/** Hears what comes of a request. `responded`, `upgraded`, `failed` and `overtaken` exclude each other. */
export interface ResponseHandler {
  /** The whole request has been written. Gives back by when (`clock.now()`) its answer must begin. */
  sent(): number;
  informed(status: number, headers: Headers): void;
  responded(head: ResponseHead, body: Body): void;
  upgraded(head: ResponseHead, tunnel: Tunnel): void;
  /** Nothing of a final answer came. */
  failed(failure: Failure, carrier: Carrier): void;
  /** It was sent behind others, and its turn on that connection will not come: another may be asked. */
  overtaken(): void;
}

/** The pool a connection of HTTP/1.1 belongs to. */
export interface ConnectionOwner {
  /** The other side is there; TLS is still to be agreed on. */
  reached(connection: ClientConnection): void;
  opened(connection: ClientConnection): void;
  refused(connection: ClientConnection, failure: Failure): void;
  /** Free for the next request. */
  released(connection: ClientConnection): void;
  /** Of several requests on it, one has been answered. */
  eased(connection: ClientConnection): void;
  /** Now a tunnel or a stream without end: it lives on by itself. */
  detached(connection: ClientConnection): void;
  closed(connection: ClientConnection): void;
}
