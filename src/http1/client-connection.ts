import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Body, BodySource } from '../http/body.ts';
import { Failure } from '../http/errors.ts';
import type { Tunnel } from '../http/exchange.ts';
import { removeHeader } from '../http/headers.ts';
import type { Clock } from '../util/clock.ts';
import { Deadline } from '../util/deadline.ts';
import { Movement } from '../util/movement.ts';
import { connectPlace } from '../util/unix-socket.ts';
import { connectFailure, contentLength, keepAliveTimeout, namesProtocol } from './answer-rules.ts';
import type {
  Carrier,
  ConnectionOwner,
  Endpoint,
  OutgoingRequest,
  ResponseHandler,
} from './client-contract.ts';
import { parseResponseHead, type ResponseHead } from './head.ts';
import { type BodyFeed, Coding, IncomingBody } from './incoming-body.ts';
import { hasBareLineEnd } from './line-ends.ts';
import { MessageWriter, type WriterOwner } from './message-writer.ts';
import { giveReadMemory, takeReadMemory } from './read-memory.ts';
import { Framing } from './response-head.ts';
import { SentAhead, UNWANTED } from './sent-ahead.ts';
import { unsentBytes } from './unsent.ts';

const State = { connecting: 0, idle: 1, waiting: 2, answering: 3, tunnel: 4, closed: 5 } as const;
type State = (typeof State)[keyof typeof State];

/** RFC 9112 sets no bound; these are the contract's. */
const MAX_HEAD = 64 * 1024;
const MAX_INTERIM = 16;
const MAX_HEADERS = 1000;
/** A connection that fills its buffer moves a large body: four times the bytes a read halve its cost. */
const LARGE_BUFFER = 256 * 1024;
/** Of an answer that nobody wants, what is read for the sake of those behind it. */
const LARGEST_UNWANTED = 64 * 1024;
const EMPTY = Buffer.alloc(0);

/**
 * One connection to a service: sends a request, reads its answer, and then the next; or sends safe requests
 * ahead, and reads their answers in that order. Its reads land in
 * memory that it owns and writes on in place; memory that someone still needs is given away and replaced.
 */
export class ClientConnection implements Carrier, BodyFeed, WriterOwner, Tunnel {
  private readonly socket: Socket;
  private readonly clock: Clock;
  private readonly owner: ConnectionOwner;
  private readonly secured: boolean;
  private readonly writer: MessageWriter;
  private readonly deadline: Deadline;
  private state: State = State.connecting;
  private memory: Buffer | null = null;
  private grown = false;
  /** Bytes read and not yet consumed, copied out of `memory`. */
  private rest: Buffer = EMPTY;
  /** What is being consumed now, and how far it has been. */
  private input: Buffer = EMPTY;
  private at = 0;
  private running = false;
  private taking = false;
  /** The service's FIN came while bytes before it were still held. */
  private finHeld = false;
  private request: OutgoingRequest | null = null;
  /** Who waits for the answer's head. */
  private handler: ResponseHandler | null = null;
  /** Whose request it is, until the answer has come whole. */
  private caller: ResponseHandler | null = null;
  /** What was sent behind it; null on a connection that never carried more than one. */
  private behind: SentAhead | null = null;
  /** How far into an answer its last client left. */
  private leftAt = 0;
  private head: ResponseHead | null = null;
  private body: IncomingBody | null = null;
  private tunnelBody: IncomingBody | null = null;
  private requestWritten = false;
  private interim = 0;
  private respondBy = Number.POSITIVE_INFINITY;
  private readonly movement = new Movement();
  /** How long the service keeps it idle, as it said last. */
  private keptFor = Number.POSITIVE_INFINITY;
  /** Has carried a request before the current one. */
  private reused = false;
  /** A byte of the current answer has come. */
  private answerBegun = false;
  idleSince = 0;
  /** Since when the answer in front is waited for; told by a pool that sends requests ahead. */
  turnSince = 0;

  constructor(endpoint: Endpoint, connectTimeout: number, clock: Clock, owner: ConnectionOwner) {
    this.clock = clock;
    this.owner = owner;
    this.secured = endpoint.tls !== null;
    this.deadline = new Deadline(clock, () => this.expired());
    this.deadline.set(clock.now() + connectTimeout);
    this.socket = this.connect(endpoint);
    this.writer = new MessageWriter(this.socket, this);
  }

  private connect(endpoint: Endpoint): Socket {
    const options: TcpNetConnectOpts = {
      ...connectPlace(endpoint.address, endpoint.port),
      noDelay: true,
      allowHalfOpen: true,
      onread: {
        buffer: () => this.takeMemory() as Buffer<ArrayBuffer>,
        callback: (size, buffer) => this.read(buffer as Buffer, size),
      },
    } as TcpNetConnectOpts;
    const plain = endpoint.tls === null;
    const socket = plain
      ? connect(options)
      : connectTls({ ...options, ...endpoint.tls } as ConnectionOptions);
    if (!plain) socket.once('connect', () => this.owner.reached(this));
    socket.once(plain ? 'connect' : 'secureConnect', () => this.connected());
    socket.on('drain', () => this.drained());
    socket.on('end', () => this.ended());
    socket.on('error', (error: NodeJS.ErrnoException) => this.errored(error));
    socket.on('close', () => this.lost(new Failure('TG_UPSTREAM_RESET', 'connection closed')));
    return socket;
  }

  // --- Use. ---

  private get isClosed(): boolean {
    return this.state === State.closed;
  }

  get open(): boolean {
    return this.state === State.idle;
  }

  /** Requests that it carries. */
  get inFlight(): number {
    return (this.request === null ? 0 : 1) + (this.behind?.size ?? 0);
  }

  get shared(): boolean {
    return this.behind !== null;
  }

  get stale(): boolean {
    return (this.reused || this.shared) && !this.answerBegun;
  }

  /** HTTP/1.1 has no word for it. */
  get unprocessed(): boolean {
    return false;
  }

  /** May a safe request be sent behind those it carries? Only where they are safe themselves, and none is being answered. */
  get takesMore(): boolean {
    const { request } = this;
    if (this.state !== State.waiting || request === null || !this.requestWritten || this.finHeld)
      return false;
    return isSafe(request.method) && request.framing === Framing.none && request.upgrade === null;
  }

  /** Sends a request on an idle connection, or one without content behind others where it `takesMore`. */
  send(request: OutgoingRequest, handler: ResponseHandler): void {
    if (this.state === State.waiting) {
      this.behind ??= new SentAhead(this, this.writer, this.clock);
      return this.behind.add(request, handler);
    }
    this.request = request;
    this.handler = handler;
    this.caller = handler;
    this.state = State.waiting;
    this.requestWritten = false;
    this.answerBegun = false;
    this.interim = 0;
    this.respondBy = Number.POSITIVE_INFINITY;
    this.deadline.clear();
    if (request.framing !== Framing.none) this.watch();
    this.writer.begin(request.head, request.framing, request.body);
  }

  /** Ends the answer with this body as one that failed, if it is still under way: another's may be by now. */
  abort(body: Body, failure: Failure): void {
    if (this.state === State.answering && body !== null && this.body === body) this.fail(failure);
  }

  /**
   * Whoever asked gives up. The connection ends with it, unless others wait for their answers on it: then this
   * one's is thrown away.
   */
  cancel(who: ResponseHandler): void {
    if (who !== this.caller) this.behind?.leave(who);
    else if (this.body !== null) return this.body.cancel();
    else this.handler = UNWANTED;
    this.deserted();
  }

  /** Nobody behind the answer in front is to wait for its end. */
  detach(): void {
    this.behind?.overtake();
    this.owner.detached(this);
  }

  /** Ends, where nobody wants an answer any more. */
  deserted(): void {
    const unwanted = this.handler === UNWANTED || this.body?.abandoned;
    if (unwanted && !this.isAwaited) this.close();
  }

  /** Does anyone behind the answer in front wait for theirs? */
  private get isAwaited(): boolean {
    return this.behind !== null && this.behind.wanted > 0;
  }

  close(): void {
    this.shut();
    this.behind?.overtake();
  }

  private shut(): void {
    if (this.state === State.closed) return;
    this.behind?.close();
    const opened = this.state !== State.connecting;
    this.state = State.closed;
    this.deadline.close();
    this.writer.abandon();
    this.socket.destroy();
    this.rest = EMPTY;
    this.giveMemoryBack();
    if (opened) this.owner.closed(this);
  }

  // --- Writing. ---

  written(): void {
    if (this.state === State.tunnel) return void this.socket.end();
    this.requestWritten = true;
    if (this.state !== State.waiting || this.handler === null) return;
    this.respondBy = this.handler.sent();
    const { firstByte } = this.request!;
    const tryBy = firstByte === Number.POSITIVE_INFINITY ? firstByte : this.clock.now() + firstByte;
    this.deadline.set(Math.min(this.respondBy, tryBy));
  }

  /** The client broke its upload off: the service must not take what it got for the whole. */
  broken(failure: Failure): void {
    this.lost(failure);
  }

  blocked(): void {}

  private drained(): void {
    this.writer.drained();
  }

  // --- Reading. ---

  private takeMemory(): Buffer {
    this.memory ??= this.grown ? Buffer.allocUnsafeSlow(LARGE_BUFFER) : takeReadMemory();
    return this.memory;
  }

  /** The bytes just handed out are still needed by whoever took them: reads go on into fresh memory. */
  retain(): void {
    this.memory = null;
  }

  /** Not from within a read, which goes on in it, and not that of TLS, which may decode some more. */
  private giveMemoryBack(): void {
    if (this.memory === null || this.grown || this.running || this.secured) return;
    giveReadMemory(this.memory);
    this.memory = null;
  }

  private read(buffer: Buffer, size: number): boolean {
    if (size === buffer.length && !this.grown) {
      this.grown = true;
      this.memory = null;
    }
    const chunk = buffer.subarray(0, size);
    this.run(this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]));
    return !this.held;
  }

  /** Whoever takes the answer wants no bytes now: they stay with the service. */
  get held(): boolean {
    return this.body !== null && !this.body.wanted;
  }

  /** Also from within `run`, when an answer's body is opened: its content then leaves in one write with the head. */
  feed(): void {
    if (this.taking || this.isClosed) return;
    if (this.running) {
      if (this.body !== null) this.readBody(this.body);
      return;
    }
    if (this.rest.length > 0) this.run(this.rest);
    if (this.finHeld) return this.ended();
    if (!this.held && !this.isClosed) this.socket.resume();
  }

  /** Nobody wants the rest of the answer: cheaper to connect anew than to read it, unless others wait behind it. */
  cancelled(): void {
    const { body } = this;
    if (body === null || !this.isAwaited || body.length - body.received > LARGEST_UNWANTED)
      return this.close();
    this.leftAt = body.received;
    this.feed();
  }

  /** Consumes `input` as far as it can; keeps a copy of what it can't. */
  private run(input: Buffer): void {
    this.rest = EMPTY;
    this.input = input;
    this.at = 0;
    this.running = true;
    while (this.at < input.length && !this.isClosed && this.step());
    this.running = false;
    this.input = EMPTY;
    if (this.at < input.length && !this.isClosed) this.rest = Buffer.from(input.subarray(this.at));
  }

  /** One head, or some content. False where more bytes, or a sink that takes them, are needed first. */
  private step(): boolean {
    if (this.body === null) return this.readHead();
    return this.body.wanted && this.readBody(this.body);
  }

  private readHead(): boolean {
    // Bytes that nobody asked for: an answer to come could be mistaken for them (RFC 9112 §9.2).
    if (this.state !== State.waiting) {
      this.close();
      return false;
    }
    this.answerBegun = true;
    const { input, at } = this;
    const end = input.indexOf('\r\n\r\n', at, 'latin1');
    if ((end < 0 ? input.length : end + 4) - at > MAX_HEAD) return this.invalid('head over 64 KiB');
    if (end < 0) return hasBareLineEnd(input, at) && this.invalid('bare CR or LF in the head');
    const head = parseResponseHead(input.toString('latin1', at, end + 2), MAX_HEADERS);
    if (typeof head === 'string') return this.invalid('malformed head');
    this.at = end + 4;
    if (head.nominated !== null) for (const name of head.nominated) removeHeader(head.headers, name);
    // HTTP/1.0 knows none (RFC 9110 §15.2): who sends one means something else.
    if (head.status < 200 && head.version === 10) return this.invalid('an interim answer in HTTP/1.0');
    if (head.status === 101) return this.switchProtocol(head);
    if (head.status < 200) return this.readInterim(head);
    this.beginAnswer(head);
    return true;
  }

  private readInterim(head: ResponseHead): boolean {
    if (++this.interim > MAX_INTERIM) return this.invalid('more than 16 interim answers');
    this.handler?.informed(head.status, head.headers);
    return true;
  }

  private beginAnswer(head: ResponseHead): void {
    this.head = head;
    this.state = State.answering;
    this.deadline.clear();
    if (head.kept !== null) this.keptFor = keepAliveTimeout(head.kept);
    const handler = this.handler!;
    this.handler = null;
    const length = contentLength(this.request!.method, head);
    if (length === 0) {
      this.body = null;
      // Nothing may follow: what does is garbage or another answer, and never read as either.
      this.complete();
      return handler.responded(head, null);
    }
    // A refusal: the service reads no more of the request, and writing on could lose the answer to a reset.
    if (!this.requestWritten && head.status >= 400) this.writer.abandon();
    const coding = length > 0 ? Coding.length : head.chunked ? Coding.chunked : Coding.close;
    const body = new IncomingBody(this, coding, length, Number.POSITIVE_INFINITY);
    this.body = body;
    handler.responded(head, body);
    if (this.isClosed || this.body !== body || this.request === null) return;
    this.watch();
    this.behind?.frontBegan();
  }

  private readBody(body: IncomingBody): boolean {
    this.taking = true;
    this.at = body.take(this.input, this.at);
    this.taking = false;
    if (body.broken) {
      this.fail(new Failure('TG_UPSTREAM_TRUNCATED', 'broken chunked coding'));
      return false;
    }
    if (body.abandoned && body.received - this.leftAt > LARGEST_UNWANTED) this.close();
    if (!body.complete || this.state !== State.answering) return false;
    this.body = null;
    this.complete();
    return true;
  }

  /** The answer has come whole. */
  private complete(): void {
    const head = this.head!;
    this.request = null;
    this.head = null;
    this.caller = null;
    const lasting = head.version === 11 ? !head.close : head.keepAlive;
    if (this.behind !== null && this.behind.size > 0) {
      if (!lasting || !this.isAwaited) return this.close();
      return this.awaitNext(this.behind);
    }
    // Bytes behind the end are garbage, or an answer to nothing: what comes next can't be trusted.
    const spoiled = this.at < this.input.length;
    if (!lasting || spoiled || !this.requestWritten || this.finHeld) return this.close();
    this.state = State.idle;
    this.reused = true;
    this.idleSince = this.clock.now();
    this.owner.released(this);
  }

  /** The answer after the one that has just come whole. */
  private awaitNext(behind: SentAhead): void {
    const { request, handler, respondBy } = behind.shift();
    const now = this.clock.now();
    this.request = request;
    this.handler = handler;
    this.caller = handler;
    this.state = State.waiting;
    this.answerBegun = false;
    this.interim = 0;
    this.reused = true;
    this.turnSince = now;
    this.respondBy = respondBy;
    this.deadline.set(Math.min(respondBy, now + request.firstByte));
    this.owner.eased(this);
  }

  /** Kept idle until `ms` have gone by, or a second less than the service says it keeps it. */
  keepIdle(ms: number): void {
    this.deadline.set(this.idleSince + Math.min(ms, this.keptFor));
  }

  // --- A tunnel. ---

  get source(): BodySource {
    return this.tunnelBody!;
  }

  take(client: BodySource): void {
    this.writer.begin('', Framing.tunnel, client);
  }

  private switchProtocol(head: ResponseHead): boolean {
    const asked = this.request!.upgrade;
    if (asked === null || head.upgrade === null || !namesProtocol(asked, head.upgrade))
      return this.invalid('101 that was not asked for');
    // The rest of the request would be taken for the new protocol's (RFC 9110 §7.8).
    if (!this.requestWritten) return this.invalid('101 before the end of the request');
    const handler = this.handler!;
    this.handler = null;
    this.state = State.tunnel;
    this.deadline.clear();
    const body = new IncomingBody(this, Coding.close, -1, Number.POSITIVE_INFINITY);
    this.body = body;
    this.tunnelBody = body;
    this.owner.detached(this);
    this.watch();
    handler.upgraded(head, this);
    return true;
  }

  // --- Ending. ---

  private connected(): void {
    if (this.state !== State.connecting) return;
    this.state = State.idle;
    this.deadline.clear();
    this.idleSince = this.clock.now();
    this.owner.opened(this);
  }

  /** The service's FIN. */
  private ended(): void {
    const body = this.body;
    // TLS decodes on although reading was stopped: what came before the end goes out before it.
    this.finHeld = this.rest.length > 0 && this.held;
    if (this.finHeld) return;
    if (
      body !== null &&
      body.length < 0 &&
      !this.head?.chunked &&
      (this.state === State.answering || this.state === State.tunnel)
    ) {
      this.body = null;
      body.finish();
      // A tunnel's other direction may go on; its socket closes once both have ended.
      if (this.state === State.answering) this.close();
      return;
    }
    this.lost(
      new Failure(
        this.state === State.answering ? 'TG_UPSTREAM_TRUNCATED' : 'TG_UPSTREAM_RESET',
        'connection ended',
      ),
    );
  }

  private errored(error: NodeJS.ErrnoException): void {
    if (this.state === State.connecting) return this.refuse(connectFailure(error));
    this.lost(new Failure('TG_UPSTREAM_RESET', error.message));
  }

  private refuse(failure: Failure): void {
    this.state = State.closed;
    this.deadline.close();
    this.socket.destroy();
    this.owner.refused(this, failure);
  }

  private invalid(cause: string): boolean {
    this.fail(new Failure('TG_UPSTREAM_INVALID', cause));
    return false;
  }

  /** The connection is gone, or of no use. */
  private lost(failure: Failure): void {
    if (this.state === State.closed) return;
    if (this.state === State.connecting)
      return this.refuse(new Failure('TG_UPSTREAM_REFUSED', failure.cause));
    this.fail(failure);
  }

  private fail(failure: Failure): void {
    const { handler, body } = this;
    this.handler = null;
    this.body = null;
    this.shut();
    handler?.failed(failure, this);
    body?.fail(failure);
    this.behind?.overtake();
  }

  // --- Time. ---

  private watch(): void {
    const { idle } = this.request!;
    if (idle === Number.POSITIVE_INFINITY) return;
    this.deadline.set(this.movement.begin(this.clock.now(), this.traffic(), idle));
  }

  private traffic(): number {
    return this.writer.bytes - unsentBytes(this.socket) + (this.body?.received ?? 0);
  }

  /** Bytes that wait for a slow client, or a client that is slow to send, are not the service's pause. */
  private get isExcused(): boolean {
    return (
      (this.body !== null && !this.body.wanted) ||
      (this.state === State.waiting && !this.socket.writableNeedDrain)
    );
  }

  private expired(): void {
    if (this.state === State.connecting)
      return this.refuse(new Failure('TG_UPSTREAM_CONNECT_TIMEOUT', 'connect timeout'));
    if (this.state === State.idle) return this.close();
    const now = this.clock.now();
    if (this.state === State.waiting && this.requestWritten) {
      return this.fail(
        new Failure(
          now >= this.respondBy ? 'TG_UPSTREAM_TIMEOUT' : 'TG_UPSTREAM_FIRST_BYTE',
          'no answer in time',
        ),
      );
    }
    const again = this.movement.look(now, this.traffic(), this.isExcused, this.request!.idle);
    if (again === null) return this.fail(new Failure('TG_UPSTREAM_IDLE_TIMEOUT', 'no byte moved'));
    this.deadline.set(again);
  }
}

/** The methods of which a connection carries several at once. */
function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}
