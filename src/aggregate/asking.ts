import { originTags } from '../cache/index.ts';
import type { RoutePolicyConfig } from '../config/model.ts';
import type { Variables } from '../expression/index.ts';
import { type Body, type BodySink, type BodySource, cancelBody, isSource } from '../http/body.ts';
import { Failure } from '../http/errors.ts';
import { Exchange, type Origin, type Reply, type Responder } from '../http/exchange.ts';
import { getHeader, type Headers } from '../http/headers.ts';
import type { Dispatch, Finish } from '../pipeline/index.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { CallVariables } from './call-variables.ts';
import { codingsOf, decode } from './decode.ts';
import type { Told } from './keeping.ts';
import { kindOfFailure, type Trouble, trouble } from './trouble.ts';

/** One request that the gateway makes by itself. */
export interface Question {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: Buffer | null;
  /** What expressions see that are evaluated for it on its way. */
  readonly vars: Variables;
}

/** Who is asked, and what may come of it. */
export interface Addressee {
  readonly dispatch: Dispatch;
  /** What it is shown of who asks, being another route that sees the request as a client's; null: it is a service. */
  readonly shows: Shows | null;
  /** Bytes of an answer, after decoding. */
  readonly maxBody: number;
  /** Milliseconds to the end of its body, where nobody else bounds that; Infinity: somebody does. */
  readonly limit: number;
  /** The tags under which an answer is kept; null: it is kept under none. */
  readonly tags: TagsOf | null;
  /** What is said of keeping an answer; null: nothing. */
  readonly policy: RoutePolicyConfig | null;
  /** Its answers are made of others: it tells of which (`Exchange.madeOf`). */
  readonly composes: boolean;
  /** Whether it answers at all depends on what is of one client alone, such as its address. */
  readonly judgesClient: boolean;
}

/** Gives what of a client's request shows who asks. */
export type Shows = (original: Exchange) => {
  readonly lines: Headers;
  readonly query: string | null;
  readonly certificate: boolean;
};

/** Gives the tags of an answer; null: they can't be told. */
export type TagsOf = (
  exchange: Exchange,
  answer: { readonly status: number; readonly headers: Headers; readonly body: Buffer | null },
) => string[] | null;

/** Hears what comes of a question: exactly one of `answered` and `failed`, and nothing after `cancel`. */
export interface Asker {
  /** Is the body of an answer with this status, which is none of success, wanted? */
  wants(status: number, headers: Headers): boolean;
  answered(status: number, headers: Headers, body: Buffer, tells: Tells): void;
  failed(trouble: Trouble): void;
}

/** Gives what an answer brings along beside its head, where somebody asks. */
export type Tells = () => Told;

/** What is read of an answer that nobody wants, so that its connection can be used again. */
const DRAIN = 64 * 1024;
/** A coded body may be a little longer than what it stands for. */
const CODING_OVERHEAD = 1024;

/** One question on its way and its answer back, read whole. It owns its exchange, down to its last byte. */
export class Asking implements Finish, Responder {
  private readonly exchange: Exchange;
  private readonly addressee: Addressee;
  private asker: Asker | null;
  /** What is read now. */
  private reading: BodySource | null = null;
  private answer: Reply | null = null;
  private released = false;
  private timer: Timer | null = null;
  private readonly clock: Clock;

  /** @param shared It is asked for several clients at once, so for none of them. */
  constructor(
    original: Exchange,
    question: Question,
    addressee: Addressee,
    asker: Asker,
    clock: Clock,
    shared = false,
  ) {
    this.clock = clock;
    this.addressee = addressee;
    this.asker = asker;
    const { shows } = addressee;
    const shown = shows === null ? null : shows(original);
    const asked = shown === null ? question : showing(question, shown, original.id);
    this.exchange = exchangeFor(original, asked, this, shown, clock.now());
    // Services are told who asks.
    if (shows === null && !shared) this.exchange.identity = original.identity;
  }

  start(): void {
    const { limit } = this.addressee;
    if (limit !== Number.POSITIVE_INFINITY) this.timer = this.clock.after(limit, () => this.outOfTime());
    this.addressee.dispatch(this.exchange, this);
  }

  /** Whatever is under way ends, and nothing is told any more. */
  cancel(): void {
    this.asker = null;
    if (this.released) return;
    const failure = new Failure('TG_CLIENT_CLOSED', 'no longer wanted');
    if (this.answer === null) this.exchange.abort(failure);
    this.reading?.cancel();
    this.release(failure);
  }

  private outOfTime(): void {
    const { asker } = this;
    this.cancel();
    asker?.failed(trouble('timeout', 'the timeout of the call'));
  }

  inform(): void {}

  respond(_exchange: Exchange, answer: Reply): void {
    this.finish(this.exchange, answer);
  }

  finish(_exchange: Exchange, answer: Reply): void {
    if (this.released) {
      cancelBody(answer.body);
      answer.tunnel?.source.cancel();
      return;
    }
    this.answer = answer;
    const { status, headers, failure } = answer;
    const kind = failure === null ? null : kindOfFailure(failure);
    if (failure !== null && kind !== null) {
      this.release(null);
      return this.asker?.failed(trouble(kind, failure.cause));
    }
    if (answer.tunnel !== null) {
      answer.tunnel.source.cancel();
      this.release(null);
      return this.asker?.failed(trouble('invalid', 'it switched protocols'));
    }
    if (failure?.code === 'TG_AFTER_MALFORMED') {
      this.release(null);
      return this.asker?.failed(trouble('status', failure.cause, { blame: failure.code }));
    }
    const good = status >= 200 && status <= 299;
    if (good || this.asker?.wants(status, headers)) return this.read(answer.body, status, headers);
    const { asker } = this;
    this.asker = null;
    this.drain(answer.body);
    asker?.failed(trouble('status', failure?.cause ?? `status ${status}`, { status, headers }));
  }

  private read(body: Body, status: number, headers: Headers): void {
    const codings = codingsOf(headers);
    const { maxBody } = this.addressee;
    const limit = codings === null ? maxBody : maxBody + CODING_OVERHEAD;
    if (body !== null && body.length > limit) {
      cancelBody(body);
      const failure = new Failure('TG_CLIENT_CLOSED', 'its body is too long');
      this.release(failure);
      return this.asker?.failed(trouble('tooLarge', `over ${maxBody} bytes`, { status, headers }));
    }
    this.take(
      body,
      limit,
      (bytes) =>
        codings === null ? this.whole(bytes, status, headers) : this.decoded(bytes, codings, status, headers),
      (kind, cause) => this.asker?.failed(trouble(kind, cause, { status, headers })),
    );
  }

  private decoded(bytes: Buffer, codings: readonly string[], status: number, headers: Headers): void {
    decode(bytes, codings, this.addressee.maxBody, (result) => {
      if (Buffer.isBuffer(result)) return this.whole(result, status, headers);
      this.asker?.failed(
        trouble(result, `its coding ${codings.join(', ')} can't be undone`, { status, headers }),
      );
    });
  }

  private whole(bytes: Buffer, status: number, headers: Headers): void {
    this.asker?.answered(status, headers, bytes, () => this.told(status, headers, bytes));
  }

  private told(status: number, headers: Headers, body: Buffer): Told {
    const { exchange, addressee } = this;
    const tags = addressee.judgesClient ? null : this.tagsOf(status, headers, body);
    if (!addressee.composes) return { said: [], tags, madeOf: [] };
    const made = exchange.madeOf as Told | null;
    // What something else has answered in its place is made of nobody knows what.
    if (tags === null || made?.tags == null) return { said: [], tags: null, madeOf: [] };
    return { ...made, tags: [...tags, ...made.tags] };
  }

  private tagsOf(status: number, headers: Headers, body: Buffer): readonly string[] | null {
    const { exchange, addressee } = this;
    const url = `${exchange.scheme}://${exchange.authority}${exchange.target}`;
    const own = addressee.tags === null ? [] : addressee.tags(exchange, { status, headers, body });
    return own === null ? null : [...own, ...originTags(headers, url)];
  }

  /** Reads a body to its end, in bounds. */
  private take(
    body: Body,
    limit: number,
    done: (bytes: Buffer) => void,
    failed: (kind: Trouble['kind'], cause: string) => void,
  ): void {
    if (!isSource(body)) {
      this.release(null);
      return done(body ?? EMPTY);
    }
    this.reading = body;
    const chunks: Buffer[] = [];
    let size = 0;
    const sink: BodySink = {
      write: (chunk) => {
        size += chunk.length;
        if (size > limit) {
          body.cancel();
          this.release(new Failure('TG_CLIENT_CLOSED', 'its body is too long'));
          failed('tooLarge', `over ${limit} bytes`);
          return false;
        }
        chunks.push(Buffer.from(chunk));
        return true;
      },
      end: () => {
        this.release(null);
        done(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size));
      },
      fail: (failure) => {
        this.release(failure);
        failed(kindOfFailure(failure) ?? 'truncated', failure.cause);
      },
    };
    body.open(sink);
  }

  /** Nobody waits for it: what is left is read if it is short, and else given up. */
  private drain(body: Body): void {
    if (body !== null && body.length > DRAIN) {
      cancelBody(body);
      return this.release(new Failure('TG_CLIENT_CLOSED', 'nobody wants it'));
    }
    this.take(body, DRAIN, ignore, ignore);
  }

  /** Whoever holds something for the exchange lets go of it. */
  private release(failure: Failure | null): void {
    if (this.released) return;
    this.released = true;
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = null;
    this.reading = null;
    const { exchange } = this;
    if (exchange.completion !== null) return exchange.completion.completed(exchange, this.answer, 0, failure);
    const { owner } = exchange;
    exchange.owner = null;
    owner?.over(failure);
  }
}

const EMPTY = Buffer.alloc(0);
const ignore = (): void => {};

/** As a client would ask, who shows who it is, under the id of its request. What the call itself says counts more. */
function showing(question: Question, { lines, query }: ReturnType<Shows>, id: string): Question {
  const headers = question.headers.slice();
  if (getHeader(headers, 'x-request-id') === undefined) headers.push('X-Request-Id', id);
  for (let i = 0; i < lines.length; i += 2)
    if (getHeader(question.headers, lines[i]!.toLowerCase()) === undefined)
      headers.push(lines[i]!, lines[i + 1]!);
  if (query === null) return { ...question, headers };
  const { target } = question;
  return { ...question, headers, target: `${target}${target.includes('?') ? '&' : '?'}${query}` };
}

/** A connection that shows nothing of who it is. */
function withoutCertificate({ listener, scheme, address, port }: Origin): Origin {
  return { listener, scheme, address, port };
}

function exchangeFor(
  original: Exchange,
  { method, target, headers, body, vars }: Question,
  responder: Responder,
  shown: ReturnType<Shows> | null,
  startedAt: number,
): Exchange {
  const { authority } = original;
  const origin = shown === null || shown.certificate ? original.origin : withoutCertificate(original.origin);
  const exchange = new Exchange(origin, responder, method, target, authority, 11, headers, body, startedAt);
  exchange.id = original.id;
  exchange.madeFor = original.madeFor ?? original;
  exchange.trace = original.trace;
  if (shown !== null) return exchange;
  const mark = target.indexOf('?');
  exchange.path = mark < 0 ? target : target.slice(0, mark);
  exchange.query = mark < 0 ? null : target.slice(mark + 1);
  exchange.host = original.host;
  exchange.scheme = original.scheme;
  exchange.ip = original.ip;
  exchange.params = original.params;
  exchange.route = original.route;
  exchange.variables = new CallVariables(original, vars);
  // All its headers are the gateway's own by now: what it says of where the request came from is to be believed.
  exchange.trusted = true;
  return exchange;
}
