import { type ClientHttp2Stream, constants } from 'node:http2';
import { addAbortSignal } from 'node:stream';
import { type Body, isSource } from '../http/body.ts';
import { crashOf, Failure } from '../http/errors.ts';
import type { Headers } from '../http/headers.ts';
import { type Carrier, Framing, type OutgoingRequest, type ResponseHandler } from '../http1/index.ts';
import type { Clock } from '../util/clock.ts';
import { Deadline } from '../util/deadline.ts';
import type { Linked } from '../util/linked-list.ts';
import { Movement } from '../util/movement.ts';
import type { Http2ClientConnection } from './client-connection.ts';
import { failureOf } from './client-failure.ts';
import { requestFields } from './client-request-fields.ts';
import { readResponseHead, tooLargeFields } from './client-response-head.ts';
import { onEndStream } from './end-stream.ts';
import { fieldLists, isBodiless } from './fields.ts';
import { StreamBody, type StreamBodyOwner } from './stream-body.ts';
import { StreamWriter, type StreamWriterOwner } from './stream-writer.ts';

const { NGHTTP2_FLAG_END_STREAM, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants;

const MAX_INTERIM = 16;
/** How long the end of an answer without content may come after its head, in ms. */
const LAST_FRAME = 5000;
/** node:http2 resets with CANCEL what ends by an AbortSignal, and by nothing else. */
const ABORTED = AbortSignal.abort();

/** One stream to a service: a request, and the answer to it (RFC 9113 §8.1). */
export class ClientStream implements Carrier, StreamBodyOwner, StreamWriterOwner, Linked {
  after: Linked | null = null;
  before: Linked | null = null;
  /** Each has a stream of its own. */
  readonly shared = false;
  /** All of the answer has come. */
  endCame = false;
  unprocessed = false;
  private readonly connection: Http2ClientConnection;
  private readonly clock: Clock;
  private readonly deadline: Deadline;
  private readonly movement = new Movement();
  /** Its connection has carried requests before. */
  private readonly reused: boolean;
  private stream: ClientHttp2Stream | null = null;
  private writer: StreamWriter | null = null;
  private request: OutgoingRequest | null = null;
  /** Who waits for the answer's head. */
  private handler: ResponseHandler | null = null;
  private body: StreamBody | null = null;
  private error: NodeJS.ErrnoException | null = null;
  private requestWritten = false;
  private sentAt = 0;
  private respondBy = Number.POSITIVE_INFINITY;
  private interim = 0;
  /** The head of the final answer has come. */
  private begun = false;
  /** The answer has come whole, or none will. */
  private over = false;
  /** The connection ended before a word of the answer. */
  private lostUnanswered = false;

  constructor(connection: Http2ClientConnection, clock: Clock, reused: boolean) {
    this.connection = connection;
    this.clock = clock;
    this.reused = reused;
    this.deadline = new Deadline(clock, () => this.expired());
  }

  get stale(): boolean {
    return this.reused && this.lostUnanswered;
  }

  // --- The request. ---

  send(request: OutgoingRequest, handler: ResponseHandler): void {
    this.request = request;
    this.handler = handler;
    this.sentAt = this.clock.now();
    const stream = this.begin(request);
    if (stream instanceof Failure) return this.fail(stream);
    this.stream = stream;
    this.listen(stream);
    this.writer = new StreamWriter(stream, this);
    const { body } = request;
    if (request.framing === Framing.none || body === null) return this.written();
    this.watch();
    if (isSource(body)) this.writer.from(body);
    else this.writer.bytesOf(body);
  }

  private begin(request: OutgoingRequest): ClientHttp2Stream | Failure {
    if (request.upgrade !== null)
      return new Failure('TG_UPSTREAM_UPGRADE', `upgrade to ${request.upgrade} over HTTP/2`);
    const fields = requestFields(request.head, this.connection.scheme);
    if (typeof fields === 'string') return new Failure('TG_INTERNAL', `head for a service: ${fields}`);
    const bodied = request.framing !== Framing.none;
    try {
      return this.connection.begin(fields, { endStream: !bodied, waitForTrailers: bodied });
    } catch (error) {
      // It throws where it finds a field that has no place in HTTP/2.
      return crashOf(error);
    }
  }

  private listen(stream: ClientHttp2Stream): void {
    onEndStream(stream, () => {
      this.endCame = true;
    });
    stream.on('headers', (fields, _flags, lines) => this.informed(fields[':status'], lines));
    stream.on('response', (_fields, flags, lines) => this.responded(flags, lines));
    stream.on('trailers', (_fields, _flags, lines) => this.checkTrailers(lines));
    stream.on('wantTrailers', () => this.sendTrailers());
    stream.on('error', (error) => {
      this.error = error;
    });
    stream.on('close', () => this.closed());
  }

  private sendTrailers(): void {
    const { stream } = this;
    if (stream === null || stream.destroyed || stream.closed) return;
    stream.sendTrailers(fieldLists(this.writer?.trailers ?? []));
  }

  written(): void {
    this.requestWritten = true;
    if (this.over || this.handler === null) return;
    this.respondBy = this.handler.sent();
    const { firstByte } = this.request!;
    const tryBy = firstByte === Number.POSITIVE_INFINITY ? firstByte : this.clock.now() + firstByte;
    this.deadline.set(Math.min(this.respondBy, tryBy));
  }

  /** The client broke its upload off: the service must not take what it got for the whole. */
  broken(failure: Failure): void {
    this.fail(failure);
  }

  moved(): void {}

  // --- The answer. ---

  private informed(status: number | undefined, lines: string[]): void {
    if (this.over || this.begun || status === undefined) return;
    this.connection.heard();
    if (++this.interim > MAX_INTERIM) return this.invalid('more than 16 interim answers');
    this.handler?.informed(status, withoutPseudo(lines));
  }

  private responded(flags: number, lines: string[]): void {
    if (this.over || this.begun) return;
    this.connection.heard();
    const head = readResponseHead(lines);
    if (typeof head === 'string') return this.invalid(head);
    const handler = this.handler!;
    this.handler = null;
    this.begun = true;
    this.deadline.clear();
    const ends = (flags & NGHTTP2_FLAG_END_STREAM) !== 0;
    if (ends || isBodiless(this.request!.method, head.status)) {
      this.stream!.resume();
      this.complete();
      // What is still to come is the end of the stream, with nothing in it that anybody takes.
      if (!ends) this.deadline.set(this.clock.now() + LAST_FRAME);
      return handler.responded(head, null);
    }
    // There may be trailers yet: only content whose end is not known beforehand can have them.
    const length = head.contentLength === 0 ? -1 : head.contentLength;
    const body = new StreamBody(this.stream!, length, Number.POSITIVE_INFINITY, this);
    this.body = body;
    handler.responded(head, body);
    if (!this.over) this.watch();
  }

  private checkTrailers(lines: readonly string[]): void {
    const tooLarge = tooLargeFields(lines);
    if (tooLarge !== null) this.fail(new Failure('TG_UPSTREAM_TRUNCATED', `${tooLarge} in the trailers`));
  }

  bodyMoved(): void {
    this.connection.heard();
    if (this.body?.complete === true) this.complete();
  }

  bodyCancelled(): void {
    this.desert();
  }

  /** The answer has come whole. What the service has not taken of the request it does not need. */
  private complete(): void {
    if (this.over) return;
    this.over = true;
    this.deadline.clear();
    if (!this.stream!.writableFinished) this.reset();
  }

  /** The connection ends: what has come whole is kept for its client. */
  salvage(): void {
    if (this.body?.salvage() === true) this.complete();
  }

  // --- Its end. ---

  cancel(): void {
    if (this.body !== null) return this.body.cancel();
    this.handler = null;
    this.desert();
  }

  abort(body: Body, failure: Failure): void {
    if (body !== null && this.body === body) this.fail(failure);
  }

  /** It is one among many of its connection, whatever comes on it. */
  detach(): void {}

  /** Nobody wants the answer any more. */
  private desert(): void {
    if (this.over) return;
    this.over = true;
    this.reset();
  }

  private invalid(cause: string): void {
    this.fail(new Failure('TG_UPSTREAM_INVALID', cause));
  }

  private fail(failure: Failure): void {
    if (this.over) return;
    const { handler, body } = this;
    this.over = true;
    this.handler = null;
    this.reset();
    handler?.failed(failure, this);
    body?.fail(failure);
  }

  /** RST_STREAM with CANCEL, where the stream is still there; `close` would end the content of the request before. */
  private reset(): void {
    this.deadline.close();
    this.writer?.abandon();
    if (this.stream === null) return this.connection.release(this);
    if (this.stream.destroyed) return;
    addAbortSignal(ABORTED, this.stream);
    this.connection.wasReset();
  }

  /** The stream is closed, for whatever reason. */
  private closed(): void {
    const { connection, stream, error, begun } = this;
    this.deadline.close();
    connection.release(this);
    if (this.over) return;
    const code = stream!.rstCode ?? NGHTTP2_NO_ERROR;
    const lost = connection.isLost;
    const unanswered = !begun && this.interim === 0;
    const goneAway = unanswered && connection.passedOver(stream!.id);
    this.lostUnanswered = unanswered && (lost || goneAway);
    this.unprocessed = goneAway || (unanswered && !lost && code === NGHTTP2_REFUSED_STREAM);
    this.fail(failureOf({ code, error, begun, lost, goneAway }));
  }

  // --- Time. ---

  private watch(): void {
    const { idle } = this.request!;
    if (idle === Number.POSITIVE_INFINITY) return;
    this.deadline.set(this.movement.begin(this.clock.now(), this.traffic(), idle));
  }

  private traffic(): number {
    return this.writer!.bytes - this.stream!.writableLength + (this.body?.received ?? 0);
  }

  /** Bytes that wait for a slow client, or a client that is slow to send, are not the service's pause. */
  private get isExcused(): boolean {
    return (
      (this.body !== null && !this.body.wanted) || (this.handler !== null && !this.stream!.writableNeedDrain)
    );
  }

  private expired(): void {
    if (this.over) return this.reset();
    const now = this.clock.now();
    if (this.handler !== null && this.requestWritten) {
      this.connection.doubt(this.sentAt);
      const code = now >= this.respondBy ? 'TG_UPSTREAM_TIMEOUT' : 'TG_UPSTREAM_FIRST_BYTE';
      return this.fail(new Failure(code, 'no answer in time'));
    }
    const { idle } = this.request!;
    const again = this.movement.look(now, this.traffic(), this.isExcused, idle);
    if (again !== null) return this.deadline.set(again);
    this.connection.doubt(now - idle);
    this.fail(new Failure('TG_UPSTREAM_IDLE_TIMEOUT', 'no byte moved'));
  }
}

/** The pseudo-fields stand first (RFC 9113 §8.3). */
function withoutPseudo(lines: readonly string[]): Headers {
  let at = 0;
  while (lines[at]?.startsWith(':')) at += 2;
  return lines.slice(at);
}
