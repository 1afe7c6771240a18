import { type Body, bodyLength, cancelBody, isSource } from '../http/body.ts';
import { collect } from '../http/collect.ts';
import { Failure } from '../http/errors.ts';
import { Exchange, type Reply, type Responder, type StepTrace } from '../http/exchange.ts';
import { isEventStream } from '../http/media-type.ts';
import { TeeBody } from '../http/tee.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import { problem } from './problem.ts';
import type { Dispatch, Filter } from './route.ts';

/** Longest body that is copied. */
const MAX_BODY = 1024 * 1024;
/** Copies under way at once in a worker; more are not made. */
const MAX_COPIES = 100;

/** Sends a copy of some requests elsewhere. Must be called before the request itself is sent on. */
export type Mirror = (exchange: Exchange) => void;

/**
 * Compiles `mirror`: a share of the requests is copied to another service. A copy waits for nobody and nobody
 * waits for it; its answer is read and thrown away.
 *
 * @param share 0 to 1.
 */
export function compileMirror(dispatch: Dispatch, share: number, { random, clock }: MirrorParts): Mirror {
  const responder = new Unheard(clock);
  return (exchange) => {
    // A tunnel has two ends that talk to each other: there is nothing to copy.
    if (exchange.upgrade !== null || (share < 1 && random.number() >= share)) return;
    if (bodyLength(exchange.body) > MAX_BODY) return;
    if (!isSource(exchange.body)) return responder.send(exchange, exchange.body, dispatch);
    copyBody(exchange, (body) => responder.send(exchange, body, dispatch));
  };
}

/**
 * For a route that answers by itself, in the place of its `mirror`: of a body that a copy is made of nobody else
 * would read a byte, so the answer comes once it is here.
 */
export function mirroringFirst(mirror: Mirror): Filter {
  return {
    phase: 'authorize',
    run(exchange) {
      const { body } = exchange;
      mirror(exchange);
      return exchange.body === body ? null : readForCopy(exchange);
    },
  };
}

async function readForCopy(exchange: Exchange): Promise<Reply | null> {
  if (exchange.expectsContinue) exchange.responder.inform(exchange, 100, []);
  exchange.expectsContinue = false;
  const tooLong = new Failure('TG_REQUEST_BODY_TOO_LARGE', 'too long to be copied');
  const end = await collect(exchange.body, MAX_BODY, tooLong);
  return end instanceof Failure && end !== tooLong ? problem(end, exchange.id) : null;
}

export interface MirrorParts {
  readonly random: Random;
  readonly clock: Clock;
}

/** Keeps what passes; the copy goes out once the original has been read whole. */
function copyBody(exchange: Exchange, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  exchange.body = new TeeBody(exchange.body as Exclude<Body, Buffer | null>, {
    saw(chunk) {
      size += chunk.length;
      if (size <= MAX_BODY) chunks.push(Buffer.from(chunk));
      else chunks.length = 0;
    },
    done(_trailers, failure) {
      if (failure === null && size <= MAX_BODY) done(Buffer.concat(chunks, size));
    },
  });
}

/** Where the answers to copies go. */
class Unheard implements Responder {
  private readonly clock: Clock;
  private underWay = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  send(original: Exchange, body: Buffer | null, dispatch: Dispatch): void {
    if (this.underWay >= MAX_COPIES) return;
    const copy = copyOf(original, this, body, this.clock.now());
    // Its tries are no tries of the request itself.
    copy.trace = original.trace?.step('mirror', true) ?? null;
    this.underWay++;
    dispatch(copy, { finish: (_exchange, answer) => this.respond(copy, answer) });
  }

  inform(): void {}

  respond(copy: Exchange, answer: Reply): void {
    answer.tunnel?.source.cancel();
    // That nobody reads it to its end says nothing of the service.
    readAway(answer).then((end) => {
      this.underWay--;
      const { owner } = copy;
      copy.owner = null;
      owner?.over(end instanceof Failure ? end : null);
      (copy.trace as StepTrace | null)?.end();
    });
  }
}

/** Reads an answer to its end, unless it is too long, or is server-sent events, which have none. */
function readAway({ headers, body }: Reply): Promise<Buffer | Failure> {
  const tooLong = new Failure('TG_CLIENT_CLOSED', 'too long to be read');
  if (!isEventStream(headers)) return collect(body, MAX_BODY, tooLong);
  cancelBody(body);
  return Promise.resolve(tooLong);
}

function copyOf(original: Exchange, responder: Responder, body: Buffer | null, startedAt: number): Exchange {
  const { origin, method, target, authority, version, headers } = original;
  const copy = new Exchange(
    origin,
    responder,
    method,
    target,
    authority,
    version,
    headers.slice(),
    body,
    startedAt,
  );
  copy.standFor(original);
  copy.shownTarget = original.shownTarget;
  // With the JSON of its body, where that was read.
  copy.variables = original.variables;
  return copy;
}
