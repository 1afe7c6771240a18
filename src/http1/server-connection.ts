import type { Socket } from 'node:net';
import { bodyLength, cancelBody } from '../http/body.ts';
import { type ErrorCode, Failure } from '../http/errors.ts';
import { Exchange, type Origin, type Reply, type Responder } from '../http/exchange.ts';
import { type Headers, removeHeader } from '../http/headers.ts';
import { MinRate } from '../http/min-rate.ts';
import { RepeatedReply } from '../http/repeated.ts';
import { protocolsIn } from '../http/upgrade.ts';
import { Deadline } from '../util/deadline.ts';
import type { Linked } from '../util/linked-list.ts';
import { type Head, parseRequestHead, type RequestHead } from './head.ts';
import { type BodyFeed, Coding, IncomingBody } from './incoming-body.ts';
import { MessageWriter, type WriterOwner } from './message-writer.ts';
import type { Opening } from './opening.ts';
import { partialHeadError } from './partial-head.ts';
import { Framing, framingOf, interimHead, repeatedHead, responseHead } from './response-head.ts';
import type { OpenConnection, ServerContext } from './server-context.ts';
import { resolveTarget } from './target.ts';
import { TunnelSource } from './tunnel-source.ts';
import { SendProgress } from './unsent.ts';
import { UploadMemory } from './upload-memory.ts';

const Reading = {
  head: 0,
  body: 1,
  /** The request has been read whole; its answer is under way. */
  waiting: 2,
  /** The answer is out and the connection ends: what still comes is thrown away. */
  discarding: 3,
  tunnel: 4,
  closed: 5,
} as const;
type Reading = (typeof Reading)[keyof typeof Reading];

/** After a refusal the client's rest is read, so that the answer isn't lost to a reset (RFC 9112 §9.6). */
const LINGER = 5000;
/** What a connection accepted just before the listener closed has to begin its request. */
const FIRST_REQUEST = 1000;
/** Pipelined bytes kept while an answer is under way; then the client waits. */
const READ_AHEAD = 64 * 1024;

const EMPTY = Buffer.alloc(0);

/**
 * Where the reads of all connections of the process land: each is dealt with before the next, so that no
 * connection needs memory of its own while it waits. Nothing in it outlives the read: what is left is copied.
 */
export const SHARED_MEMORY = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * One client's connection: reads requests one after another, hands each over as an Exchange and writes its
 * answer. A pipelined request is read only once the one before it has been answered, which keeps answers in
 * order and unsafe requests from overtaking.
 */
export class ServerConnection implements OpenConnection, Responder, BodyFeed, WriterOwner {
  after: Linked | null = null;
  before: Linked | null = null;
  private readonly socket: Socket;
  private readonly context: ServerContext;
  private readonly origin: Origin;
  private readonly deadline: Deadline;
  private readonly writer: MessageWriter;
  private readonly progress: SendProgress;
  private reading: Reading = Reading.head;
  /** Where the next read lands: in what all share, or, of a large upload, in its own. */
  private landing: Buffer = SHARED_MEMORY;
  private readonly own = new UploadMemory();
  private input: Buffer = EMPTY;
  private at = 0;
  /** Up to here the input is known to hold no end of a head. */
  private scanned = 0;
  private headStarted = 0;
  private used = false;
  private running = false;
  /** The body is just being decoded: where it ends is not known yet. */
  private taking = false;
  private paused = false;
  private exchange: Exchange | null = null;
  private answer: Reply | null = null;
  private body: IncomingBody | null = null;
  private tunnel: TunnelSource | null = null;
  private closeAfter = false;
  /** The client holds its content back until it is told to go on. */
  private awaitsLeave = false;
  private readonly rate: MinRate;
  /** Until it is known which protocol the client speaks; null: it can only be this one. */
  opening: Opening | null = null;

  constructor(socket: Socket, origin: Origin, context: ServerContext) {
    this.socket = socket;
    this.origin = origin;
    this.context = context;
    this.writer = new MessageWriter(socket, this);
    this.progress = new SendProgress(socket);
    this.rate = new MinRate(context);
    this.deadline = new Deadline(context.clock, () => this.expired());
    this.deadline.set(context.clock.now() + context.limits.idleTimeout);
    context.connections.push(this);
  }

  /** Nothing is under way: no request begun, no answer unfinished. */
  get idle(): boolean {
    return this.reading === Reading.head && this.exchange === null && this.at === this.input.length;
  }

  /** All that was asked has been answered; the socket only waits for the client to close. */
  get ending(): boolean {
    if (this.reading < Reading.discarding || this.reading === Reading.tunnel) return false;
    // What the client has not taken yet is lost with the socket.
    return this.socket.writableFinished || this.socket.destroyed;
  }

  // --- What the socket says. ---

  /** A read landed in `memory`, which the next one overwrites. */
  read(size: number, memory: Buffer): void {
    const chunk = memory.subarray(0, size);
    // Whoever takes content may keep it, and may not what others read into.
    const lasts = this.reading === Reading.head || memory === this.own.lent;
    this.received(lasts ? chunk : Buffer.from(chunk));
    if (this.input.buffer === memory.buffer && this.input.length > 0) this.keepInput();
    if (this.reading === Reading.body && size >= SHARED_MEMORY.length) this.own.take();
    else this.own.giveBack();
  }

  /** Where the next read lands, if elsewhere than the last. */
  readonly nextMemory = (): Buffer | undefined => {
    const next = this.own.lent ?? SHARED_MEMORY;
    if (next === this.landing) return undefined;
    this.landing = next;
    return next;
  };

  /** Copies what is still to be read out of memory that is about to be overwritten. */
  private keepInput(): void {
    this.input = Buffer.from(this.input.subarray(this.at));
    this.at = 0;
  }

  received(chunk: Buffer): void {
    if (this.opening !== null) return this.open(this.opening, chunk);
    if (this.reading === Reading.tunnel) return this.tunnel!.push(chunk);
    if (this.reading >= Reading.discarding) return;
    this.input = this.at === this.input.length ? chunk : Buffer.concat([this.input.subarray(this.at), chunk]);
    this.at = 0;
    this.run();
  }

  private open(opening: Opening, chunk: Buffer): void {
    const isFirst = opening.read.length === 0;
    const isHttp2 = opening.isPreface(chunk);
    if (isHttp2 === null) {
      const { clock, limits } = this.context;
      if (isFirst) this.deadline.set(clock.now() + limits.headTimeout);
      return;
    }
    this.opening = null;
    if (isHttp2) opening.takeHttp2(opening.read);
    else this.received(opening.read);
  }

  drained(): void {
    if (this.answer !== null) this.deadline.clear();
    this.writer.drained();
    this.run();
  }

  /** The client's FIN. */
  ended(): void {
    if (this.reading === Reading.tunnel) return this.tunnel!.end();
    if (this.exchange !== null) return this.giveUp(new Failure('TG_CLIENT_CLOSED', 'client closed its side'));
    if (this.reading === Reading.discarding) this.socket.destroySoon();
    else this.socket.end();
  }

  closed(): void {
    if (this.reading === Reading.closed) return;
    this.giveUp(new Failure('TG_CLIENT_CLOSED', 'connection lost'));
  }

  // --- What the listener wants. ---

  /** Ends at once when idle, else with the answer that is under way. */
  drain(): void {
    if (this.idle && !this.used) {
      // Its first request may be on its way, and unlike on a kept connection no client would send it again.
      this.deadline.set(this.context.clock.now() + FIRST_REQUEST);
    } else if (this.idle) {
      this.halfClose();
    } else {
      this.closeAfter = true;
    }
  }

  /** Ends whatever is under way. */
  destroy(): void {
    this.giveUp(new Failure('TG_DRAINING', 'drain timeout'));
  }

  /** Its socket goes to another protocol: this end forgets it. */
  release(): void {
    this.reading = Reading.closed;
    this.deadline.close();
    this.context.connections.remove(this);
  }

  // --- Reading. ---

  /** Goes on reading as far as bytes and sinks allow. Never nested. */
  private run(): void {
    if (this.running) return;
    this.running = true;
    this.writer.gather();
    while (this.step());
    this.running = false;
    this.writer.flush();
    this.settle();
  }

  feed(): void {
    this.run();
  }

  retain(): void {
    this.own.giveAway();
  }

  /** Nobody wants the rest: it is read and thrown away, or ends the connection with the answer. */
  cancelled(): void {}

  private step(): boolean {
    if (this.reading === Reading.head)
      return this.at < this.input.length && !this.blockedByReader() && this.readHead();
    if (this.reading === Reading.body) return this.readBody();
    return false;
  }

  /** A client that pipelines without reading its answers gets no more of them. */
  private blockedByReader(): boolean {
    return this.socket.writableNeedDrain;
  }

  /** After reading: what to wait for, and whether the client may send on. */
  private settle(): void {
    const left = this.input.length - this.at;
    if (left === 0 && this.at > 0) {
      this.input = EMPTY;
      this.at = 0;
    }
    if (this.reading >= Reading.discarding) return;
    this.hold(left > READ_AHEAD || (this.reading === Reading.head && left > 0 && this.blockedByReader()));
  }

  private hold(wanted: boolean): void {
    if (wanted === this.paused) return;
    this.paused = wanted;
    if (wanted) this.socket.pause();
    else this.socket.resume();
  }

  private readHead(): boolean {
    const { limits, clock } = this.context;
    const input = this.input;
    // Empty lines before a request are passed over (RFC 9112 §2.2).
    while (this.at + 1 < input.length && input[this.at] === 13 && input[this.at + 1] === 10) this.at += 2;
    if (this.at === input.length) return false;
    const end = input.indexOf('\r\n\r\n', Math.max(this.at, this.scanned - 3), 'latin1');
    if (end < 0 || end + 4 - this.at > limits.head) return this.partialHead();
    const startedAt = this.headStarted === 0 ? clock.now() : this.headStarted;
    const text = input.toString('latin1', this.at, end + 2);
    this.at = end + 4;
    this.scanned = 0;
    this.headStarted = 0;
    this.used = true;
    const head = parseRequestHead(text, limits);
    if (typeof head === 'string') return this.refuse(head, startedAt);
    return this.begin(head, startedAt);
  }

  /** No end of a head yet: is what stands there still the beginning of one, and small enough? */
  private partialHead(): boolean {
    const { limits, clock } = this.context;
    const size = this.input.length - this.at;
    const problem = partialHeadError(this.input, this.at, limits);
    if (problem !== null) {
      this.at = this.input.length;
      return this.refuse(problem, clock.now());
    }
    this.scanned = size;
    if (this.at > 0) {
      this.input = this.input.subarray(this.at);
      this.at = 0;
    }
    if (this.headStarted === 0) {
      this.headStarted = clock.now();
      this.deadline.set(this.headStarted + limits.headTimeout);
    }
    return false;
  }

  private begin(head: RequestHead, startedAt: number): boolean {
    const target = resolveTarget(head);
    if (typeof target === 'string') return this.refuse(target, startedAt);
    const tooLarge = head.contentLength > this.context.limits.body;
    const body = tooLarge ? null : this.bodyOf(head);
    this.closeAfter = head.close || this.context.draining || (head.version === 10 && !head.keepAlive);
    const exchange = new Exchange(
      this.origin,
      this,
      head.method,
      target.target,
      target.authority,
      head.version,
      head.headers,
      body,
      startedAt,
    );
    if (head.nominated !== null) for (const name of head.nominated) removeHeader(head.headers, name);
    if (tooLarge) return this.turnAway(exchange, 'TG_REQUEST_BODY_TOO_LARGE');
    exchange.upgrade = head.upgrade === null ? null : protocolsIn(head.upgrade);
    exchange.acceptsTrailers = head.trailers;
    exchange.expectsContinue =
      head.expect !== null && head.version === 11 && head.expect.toLowerCase() === '100-continue';
    this.exchange = exchange;
    this.body = body;
    // Whoever takes the content may keep it.
    if (body !== null && this.input.buffer === SHARED_MEMORY.buffer) this.keepInput();
    this.awaitsLeave = exchange.expectsContinue && body !== null;
    if (body === null) {
      this.reading = Reading.waiting;
      this.deadline.clear();
    } else {
      this.reading = Reading.body;
      this.rate.begin();
      this.bodyMoved();
    }
    if (head.expect !== null && !exchange.expectsContinue && head.version === 11) {
      this.respond(exchange, this.context.refuse(exchange, new Failure('TG_REQUEST_EXPECTATION')));
    } else {
      this.context.handle(exchange);
    }
    return true;
  }

  private bodyOf(head: Head): IncomingBody | null {
    if (!head.chunked && head.contentLength <= 0) return null;
    return new IncomingBody(
      this,
      head.chunked ? Coding.chunked : Coding.length,
      head.contentLength,
      this.context.limits.body,
    );
  }

  private readBody(): boolean {
    const body = this.body!;
    if (!body.wanted) return false;
    if (this.at === this.input.length) return false;
    const before = body.received;
    this.taking = true;
    const at = body.take(this.input, this.at);
    this.taking = false;
    if (this.exchange !== null) this.exchange.received = body.received;
    // Whoever took it may have ended the connection meanwhile, and thrown the input away.
    if (this.reading >= Reading.discarding) return false;
    this.at = at;
    // Or answered at its end, and the next request is waited for.
    if (body.received !== before && this.reading === Reading.body) {
      this.awaitsLeave = false;
      this.bodyMoved();
    }
    if (body.tooLarge) return this.spoil('TG_REQUEST_BODY_TOO_LARGE');
    if (body.broken) return this.spoil('TG_REQUEST_FRAMING');
    if (!body.complete) {
      // The time in which the service takes nothing is not the client's.
      if (!body.wanted) this.rate.begin();
      return false;
    }
    this.bodyComplete();
    return true;
  }

  private bodyComplete(): void {
    this.body = null;
    if (this.reading !== Reading.body) return;
    this.reading = this.exchange === null ? Reading.head : Reading.waiting;
    // A client that takes no byte of its answer is still waited for no longer than sendTimeout.
    if (this.answer === null) this.deadline.clear();
    if (this.exchange === null) this.next();
  }

  /** Bytes of the body came: the pause that is allowed begins again. */
  private bodyMoved(): void {
    const { clock, limits } = this.context;
    const now = clock.now();
    // Once the answer is under way its own pace counts: a pause of the upload must not cut it.
    if (this.answer === null) this.deadline.set(now + limits.bodyTimeout);
    if (this.rate.tooSlow(now, this.body!.received)) this.spoil('TG_REQUEST_TIMEOUT');
  }

  /** The body went wrong while its request was under way: the exchange is aborted, and answered if it can still be. */
  private spoil(code: ErrorCode): boolean {
    const { exchange } = this;
    const failure = new Failure(code);
    const begun = this.answer !== null;
    this.closeAfter = true;
    this.body?.fail(failure);
    if (exchange === null) {
      this.linger();
    } else if (begun) {
      this.broken(failure, false);
    } else {
      exchange.abort(failure);
      // Whoever was sending the body on may have answered already.
      if (!exchange.answered) this.respond(exchange, this.context.refuse(exchange, failure));
    }
    return false;
  }

  /** What came is no request, or none that may be read: one answer, then the end (RFC 9112 §2.2). */
  private refuse(code: ErrorCode, startedAt: number): boolean {
    return this.turnAway(new Exchange(this.origin, this, 'GET', '/', '', 11, [], null, startedAt), code);
  }

  /** Of what comes after its head nothing is read as content. */
  private turnAway(exchange: Exchange, code: ErrorCode): boolean {
    this.exchange = exchange;
    this.closeAfter = true;
    this.reading = Reading.waiting;
    this.respond(exchange, this.context.refuse(exchange, new Failure(code)));
    return false;
  }

  // --- Answering. ---

  inform(exchange: Exchange, status: number, headers: Headers): void {
    if (exchange !== this.exchange || this.answer !== null || exchange.version < 11) return;
    if (exchange.undecided && status !== 100) return;
    if (status === 100) {
      this.awaitsLeave = false;
      // Its time to send begins now.
      if (this.reading === Reading.body) this.bodyMoved();
    }
    this.writer.head(interimHead(status, headers));
  }

  respond(exchange: Exchange, answer: Reply): void {
    if (exchange !== this.exchange || exchange.answered) return cancelBody(answer.body);
    exchange.answered = true;
    const { clock } = this.context;
    exchange.answeredAt = clock.now();
    this.answer = answer;
    this.deadline.clear();
    if (answer.status === 101) return this.openTunnel(exchange, answer);
    this.settleRequestBody();
    const given = answer instanceof RepeatedReply ? answer : null;
    const repeated = given?.untouched ?? null;
    const length = repeated === null ? bodyLength(answer.body) : repeated.length;
    const framing = framingOf(exchange, answer.status, length);
    if (this.context.draining || framing === Framing.close) this.closeAfter = true;
    const keep = !this.closeAfter;
    const wall = clock.wallAt(exchange.answeredAt);
    if (given === null || repeated === null || framing !== Framing.length) {
      this.writer.begin(responseHead(exchange, answer, framing, keep, wall), framing, answer.body);
      return;
    }
    const head = repeatedHead(exchange, repeated, given.timed, keep, wall) + repeated.text;
    if (repeated.isShort) this.writer.whole(head, repeated.length);
    else this.writer.begin(head, framing, repeated.body);
  }

  /** A request body nobody read: if it is here whole it is passed over, else the connection ends with the answer. */
  private settleRequestBody(): void {
    const body = this.body;
    if (body === null || this.reading !== Reading.body) return;
    if (body.complete) return this.bodyComplete();
    // From within its own bytes nobody can tell where it ends: then the connection ends.
    if (!body.opened && !this.taking) {
      body.cancel();
      this.at = body.take(this.input, this.at);
      if (this.exchange !== null) this.exchange.received = body.received;
      if (body.complete) return this.bodyComplete();
    }
    this.closeAfter = true;
  }

  written(): void {
    const exchange = this.exchange!;
    const answer = this.answer!;
    if (this.reading === Reading.tunnel) return void this.socket.end();
    this.exchange = null;
    this.answer = null;
    exchange.completion?.completed(exchange, answer, this.writer.bytes, null);
    if (this.closeAfter) return this.linger();
    this.next(exchange.endedAt);
  }

  /**
   * Ready for the next request on this connection.
   *
   * @param endedAt When the last one was over, if anyone asked: then nobody need ask for the time again.
   */
  private next(endedAt = -1): void {
    this.reading = Reading.head;
    const { clock, limits } = this.context;
    const now = endedAt < 0 ? clock.now() : endedAt;
    if (this.socket.writableLength === 0) {
      this.deadline.set(now + limits.idleTimeout);
    } else {
      // The client is still taking the answer.
      this.progress.begin(now);
      this.deadline.set(now + Math.max(limits.idleTimeout, limits.sendTimeout));
    }
    if (this.at < this.input.length) this.run();
    else if (!this.running) this.settle();
  }

  /** The answer can't be completed: what came goes out, and the end shows that it is not the whole. */
  broken(failure: Failure, reset: boolean): void {
    const { exchange, answer } = this;
    this.exchange = null;
    this.answer = null;
    this.body?.fail(failure);
    this.tunnel?.cancel();
    if (exchange !== null) exchange.completion?.completed(exchange, answer, this.writer.bytes, failure);
    // To HTTP/1.0 a length is a hint at most: a plain end might pass for the end of the content.
    if (reset || exchange?.version === 10) return this.reset();
    this.reading = Reading.discarding;
    this.socket.destroySoon();
    this.awaitSent();
  }

  /** Where the end of the connection would end the content, only a reset tells that it was cut. */
  private reset(): void {
    if ('encrypted' in this.socket) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  blocked(): void {
    this.awaitSent();
  }

  /** Bytes wait for the client to take them: some must move within `sendTimeout`. */
  private awaitSent(): void {
    const { clock, limits } = this.context;
    const now = clock.now();
    this.progress.begin(now);
    this.deadline.set(now + limits.sendTimeout / 4);
  }

  /** Are there bytes that the client still takes, however slowly? Then the deadline is later. */
  private stillSending(): boolean {
    if (this.socket.writableLength === 0 || this.socket.destroyed) return false;
    const { clock, limits } = this.context;
    const now = clock.now();
    const until = this.progress.look(now) + limits.sendTimeout;
    if (now >= until) return false;
    this.deadline.set(Math.min(until, now + limits.sendTimeout / 4));
    return true;
  }

  private openTunnel(exchange: Exchange, answer: Reply): void {
    const { tunnel } = answer;
    this.reading = Reading.tunnel;
    this.deadline.clear();
    const source = new TunnelSource(this.socket);
    this.tunnel = source;
    const ahead = Buffer.from(this.input.subarray(this.at));
    this.input = EMPTY;
    this.at = 0;
    this.writer.begin(
      responseHead(exchange, answer, Framing.tunnel, true, this.context.clock.wallAt(exchange.answeredAt)),
      Framing.tunnel,
      tunnel!.source,
    );
    tunnel!.take(source);
    if (ahead.length > 0) source.push(ahead);
    this.paused = false;
  }

  // --- Ending. ---

  /** The answer is out: half-close, and read on for a while so that it arrives. */
  private linger(): void {
    this.writer.flush();
    this.body?.cancel();
    this.input = EMPTY;
    this.at = 0;
    this.halfClose();
    this.socket.resume();
  }

  /** No more is read as requests. The wait for the client's FIN begins when it can have the whole answer. */
  private halfClose(): void {
    const { clock } = this.context;
    this.reading = Reading.discarding;
    this.socket.end(() => {
      if (this.reading === Reading.discarding) this.deadline.set(clock.now() + LINGER);
    });
    this.awaitSent();
  }

  private expired(): void {
    if (this.stillSending()) return;
    if (this.reading === Reading.discarding) return void this.socket.destroy();
    if (this.answer !== null)
      return this.giveUp(new Failure('TG_CLIENT_CLOSED', 'the client took no bytes in time'));
    if (this.reading === Reading.head) {
      if (this.headStarted === 0) {
        this.reading = Reading.discarding;
        return void this.socket.destroy();
      }
      this.refuse('TG_REQUEST_TIMEOUT', this.headStarted);
      return;
    }
    if (this.reading !== Reading.body) return;
    // Held back by the service, not by the client: its own limits watch that.
    if (!this.body!.wanted) {
      this.rate.begin();
      return this.deadline.set(this.context.clock.now() + this.context.limits.bodyTimeout);
    }
    this.spoil(this.awaitsLeave ? 'TG_UPSTREAM_TIMEOUT' : 'TG_REQUEST_TIMEOUT');
  }

  /** Whatever is under way ends here; everyone who works on it is told. */
  private giveUp(failure: Failure): void {
    if (this.reading === Reading.closed) return;
    const { exchange, answer, tunnel } = this;
    this.reading = Reading.closed;
    this.exchange = null;
    this.answer = null;
    this.deadline.close();
    this.own.giveAway();
    this.context.connections.remove(this);
    this.body?.fail(failure);
    this.writer.abandon();
    tunnel?.fail(failure);
    this.socket.destroy();
    if (exchange === null) return;
    exchange.answered = true;
    exchange.abort(failure);
    // A tunnel has no other end than that one side closes it.
    exchange.completion?.completed(exchange, answer, this.writer.bytes, tunnel === null ? failure : null);
  }
}
