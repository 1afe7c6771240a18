import { constants, type ServerHttp2Stream } from 'node:http2';
import { cancelBody, isSource } from '../http/body.ts';
import { type ErrorCode, Failure } from '../http/errors.ts';
import { Exchange, type Reply, type Responder } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import { MinRate } from '../http/min-rate.ts';
import { Deadline } from '../util/deadline.ts';
import type { Linked } from '../util/linked-list.ts';
import { fieldLists, isBodiless } from './fields.ts';
import type { Http2ServerConnection } from './server-connection.ts';
import { readRequestHead, type StreamHead } from './server-request-head.ts';
import { interimFields, responseFields } from './server-response-fields.ts';
import { StreamBody, type StreamBodyOwner } from './stream-body.ts';
import { StreamWriter, type StreamWriterOwner } from './stream-writer.ts';

const { NGHTTP2_NO_ERROR } = constants;

/** What of a request's head an exchange begins with. */
type ExchangeHead = Pick<StreamHead, 'method' | 'target' | 'authority' | 'headers'>;

/** One stream: a request, handed over as an Exchange, and the answer to it (RFC 9113 §8.1). */
export class ServerStream implements Responder, StreamBodyOwner, StreamWriterOwner, Linked {
  after: Linked | null = null;
  before: Linked | null = null;
  private readonly stream: ServerHttp2Stream;
  private readonly connection: Http2ServerConnection;
  private readonly deadline: Deadline;
  private readonly writer: StreamWriter;
  private readonly rate: MinRate;
  private exchange: Exchange | null = null;
  private answer: Reply | null = null;
  private body: StreamBody | null = null;
  /** The client holds its content back until it is told to go on. */
  private awaitsLeave = false;
  /** Trailers go out behind the content. */
  private trailing = false;
  private over = false;

  constructor(stream: ServerHttp2Stream, connection: Http2ServerConnection) {
    this.stream = stream;
    this.connection = connection;
    this.deadline = new Deadline(connection.context.clock, () => this.expired());
    this.writer = new StreamWriter(stream, this);
    this.rate = new MinRate(connection.context);
    // Told by `close`, with the code of the reset.
    stream.on('error', () => {});
    stream.on('aborted', () => this.aborted());
    stream.on('close', () => this.closed());
    stream.on('wantTrailers', () => this.sendTrailers());
  }

  // --- Reading. ---

  begin(fields: readonly string[]): void {
    const { clock, limits } = this.connection.context;
    const startedAt = clock.now();
    const head = readRequestHead(fields, limits);
    if (typeof head === 'string') return this.refuse(head, startedAt);
    if (head.contentLength > limits.body)
      return this.turnAway(this.exchangeFor(head, startedAt), 'TG_REQUEST_BODY_TOO_LARGE');
    this.hand(head, startedAt);
  }

  private hand(head: StreamHead, startedAt: number): void {
    const { context } = this.connection;
    this.body = this.bodyOf(head);
    const exchange = this.exchangeFor(head, startedAt);
    exchange.acceptsTrailers = head.trailers;
    exchange.expectsContinue = head.expect?.toLowerCase() === '100-continue';
    this.awaitsLeave = exchange.expectsContinue && this.body !== null;
    if (this.body !== null) this.bodyMoved();
    if (head.expect === null || exchange.expectsContinue) context.handle(exchange);
    else this.respond(exchange, context.refuse(exchange, new Failure('TG_REQUEST_EXPECTATION')));
  }

  private exchangeFor(head: ExchangeHead, startedAt: number): Exchange {
    const { method, target, authority, headers } = head;
    const { origin } = this.connection;
    this.exchange = new Exchange(origin, this, method, target, authority, 20, headers, this.body, startedAt);
    return this.exchange;
  }

  private bodyOf(head: StreamHead): StreamBody | null {
    if (this.stream.endAfterHeaders || head.contentLength === 0) return null;
    return new StreamBody(this.stream, head.contentLength, this.connection.context.limits.body, this);
  }

  /** What came is no request that may be answered as it asks. */
  private refuse(code: ErrorCode, startedAt: number): void {
    const none = { method: 'GET', target: '/', authority: '', headers: [] };
    this.turnAway(this.exchangeFor(none, startedAt), code);
  }

  private turnAway(exchange: Exchange, code: ErrorCode): void {
    this.respond(exchange, this.connection.context.refuse(exchange, new Failure(code)));
  }

  /** A stream that was reset ends its content too, and the reset is heard a moment later. */
  get endCame(): boolean {
    return this.stream.rstCode === NGHTTP2_NO_ERROR && !this.stream.aborted;
  }

  /** The stream ends once its answer is out: nothing more is read of it. */
  bodyCancelled(): void {}

  /** The pause that is allowed in the content begins again, or ends for good. */
  bodyMoved(): void {
    if (this.over) return;
    const body = this.body!;
    const { clock, limits } = this.connection.context;
    if (this.exchange !== null && body.received > 0) {
      this.exchange.received = body.received;
      this.awaitsLeave = false;
    }
    if (body.tooLarge) return this.spoil('TG_REQUEST_BODY_TOO_LARGE');
    if (this.answer !== null) return;
    if (body.complete) return this.deadline.clear();
    const now = clock.now();
    this.deadline.set(now + limits.bodyTimeout);
    if (!body.wanted) this.rate.begin();
    else if (this.rate.tooSlow(now, body.received)) this.spoil('TG_REQUEST_TIMEOUT');
  }

  /** The content went wrong while its request was under way: it is aborted, and answered if it can still be. */
  private spoil(code: ErrorCode): void {
    const { exchange } = this;
    const failure = new Failure(code);
    const begun = this.answer !== null;
    this.body?.fail(failure);
    if (exchange === null) return;
    if (begun) return this.broken(failure);
    exchange.abort(failure);
    // Whoever was sending the content on may have answered already.
    if (!exchange.answered) this.respond(exchange, this.connection.context.refuse(exchange, failure));
  }

  // --- Answering. ---

  inform(exchange: Exchange, status: number, headers: Headers): void {
    if (exchange !== this.exchange || this.answer !== null) return;
    if (this.stream.destroyed || this.stream.closed) return;
    if (exchange.undecided && status !== 100) return;
    if (status === 100 && this.awaitsLeave) {
      this.awaitsLeave = false;
      // Its time to send begins now.
      this.bodyMoved();
    }
    this.stream.additionalHeaders(interimFields(status, headers));
  }

  respond(exchange: Exchange, answer: Reply): void {
    if (exchange !== this.exchange || exchange.answered) return cancelBody(answer.body);
    exchange.answered = true;
    exchange.answeredAt = this.connection.context.clock.now();
    this.answer = answer;
    this.deadline.clear();
    if (this.stream.destroyed || this.stream.closed) return cancelBody(answer.body);
    const fields = responseFields(exchange, answer);
    const { body } = answer;
    if (isBodiless(exchange.method, answer.status) || body === null || body.length === 0) {
      this.stream.respond(fields, { endStream: true });
      cancelBody(body);
      return this.written();
    }
    // Content of a known length has trailers seldom enough that only who says he takes them is asked to wait for some.
    this.trailing = body.length < 0 || exchange.acceptsTrailers;
    this.stream.respond(fields, { waitForTrailers: this.trailing });
    if (isSource(body)) this.writer.from(body);
    else this.writer.bytesOf(body);
  }

  private sendTrailers(): void {
    if (this.stream.destroyed || this.stream.closed) return;
    this.stream.sendTrailers(fieldLists(this.writer.trailers ?? []));
    // They leave in a turn of their own, and a reset would overtake them.
    setImmediate(() => this.letGo());
  }

  written(): void {
    const exchange = this.exchange!;
    const answer = this.answer!;
    this.exchange = null;
    if (!this.trailing) this.letGo();
    exchange.completion?.completed(exchange, answer, this.writer.bytes, null);
  }

  /** The answer is out: what was not read of the request is not wanted any more (RFC 9113 §8.1). */
  private letGo(): void {
    if (!this.stream.endAfterHeaders && this.body?.complete !== true) {
      this.body?.cancel();
      // Not before its last byte was taken: once it is closed it could not be reset for a client that takes none.
      const close = () => this.stream.close(NGHTTP2_NO_ERROR);
      if (this.stream.writableFinished) close();
      else this.stream.once('finish', close);
    }
    // What is left in it is thrown away, or the stream would stay.
    this.stream.resume();
  }

  /** A stream that is reset shows that the content is not the whole. */
  broken(failure: Failure): void {
    this.end(failure);
    this.reset();
  }

  /** `close` would end the content before the reset: what came of it could pass for the whole. */
  private reset(): void {
    this.stream.destroy(new Error('reset'));
  }

  /** Some byte must move within `sendTimeout` while any waits. */
  moved(): void {
    if (this.over) return;
    const { clock, limits } = this.connection.context;
    if (this.writer.waits) this.deadline.set(clock.now() + limits.sendTimeout);
    else this.deadline.clear();
  }

  // --- Ending. ---

  private expired(): void {
    if (this.answer !== null) {
      this.end(new Failure('TG_CLIENT_CLOSED', 'the client took no bytes in time'));
      return this.reset();
    }
    const { body } = this;
    if (body === null || body.complete) return;
    // Held back by the service, not by the client: its own limits watch that.
    if (!body.wanted) return this.bodyMoved();
    this.spoil(this.awaitsLeave ? 'TG_UPSTREAM_TIMEOUT' : 'TG_REQUEST_TIMEOUT');
  }

  /**
   * A reset, or the end of the connection, before the answer was out. One by NO_ERROR would leave the stream open until
   * its content is read, which nobody does any more.
   */
  private aborted(): void {
    this.lost();
    this.stream.resume();
  }

  private closed(): void {
    this.lost();
    this.connection.left(this);
  }

  private lost(): void {
    const { rstCode } = this.stream;
    this.end(
      new Failure('TG_CLIENT_CLOSED', rstCode === 0 ? 'connection lost' : `stream reset (${rstCode})`),
    );
  }

  /** Whatever is under way ends here; everyone who works on it is told. */
  private end(failure: Failure): void {
    const { exchange, answer } = this;
    this.exchange = null;
    this.over = true;
    this.deadline.close();
    this.body?.fail(failure);
    this.writer.abandon();
    if (exchange === null) return;
    exchange.answered = true;
    exchange.abort(failure);
    exchange.completion?.completed(exchange, answer, this.writer.bytes, failure);
  }

  /** Ends whatever is under way. */
  destroy(): void {
    this.end(new Failure('TG_DRAINING', 'drain timeout'));
  }
}
