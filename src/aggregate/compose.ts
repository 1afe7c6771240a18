import { createHash } from 'node:crypto';
import { EvaluationFailure, type Value } from '../expression/index.ts';
import { Failure } from '../http/errors.ts';
import { type Reply, reply } from '../http/exchange.ts';
import { getHeader, getHeaders, type Headers, hasHeader, removeHeader } from '../http/headers.ts';
import { keepingHeaders, toldOfParts } from './keeping.ts';
import { bodyOfPieces } from './pieces.ts';
import type { AggregateRun } from './run.ts';
import type { Trouble } from './trouble.ts';
import { writeJson } from './write-json.ts';

/** RFC 9110 §15.3.5, §15.3.6, §15.4.5: these end with the head. */
const WITHOUT_CONTENT: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * The answer, once all calls are over; or why its expressions give none. `partial` are those calls whose place something
 * else takes.
 */
export function composeAnswer(run: AggregateRun, partial: readonly string[]): Reply | Failure {
  try {
    const status = statusOf(run);
    const headers = headersOf(run, partial);
    if (WITHOUT_CONTENT.has(status)) {
      removeHeader(headers, 'content-type');
      return reply(status, headers, null);
    }
    const pieces = writeJson(contentOf(run));
    const { keeping } = run.aggregate;
    if (keeping !== null) {
      if (!hasHeader(headers, 'etag')) headers.push('etag', entityTag(pieces));
      const { varies, byAddress } = run.aggregate;
      headers.push(
        ...keepingHeaders(run.parts, keeping, {
          status,
          headers,
          partial: partial.length > 0,
          varies,
          byAddress,
        }),
      );
    } else if (run.exchange.madeFor !== null) {
      run.exchange.madeOf = toldOfParts(run.parts, run.aggregate.varies);
    }
    return reply(status, headers, bodyOfPieces(pieces));
  } catch (error) {
    if (!(error instanceof EvaluationFailure)) throw error;
    return new Failure('TG_EXPRESSION_FAILED', error.message);
  }
}

/** Of the composed content: who has it need not be sent it again. */
function entityTag(pieces: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return `"${hash.digest('base64url').slice(0, 22)}"`;
}

function statusOf({ aggregate, vars }: AggregateRun): number {
  const { status } = aggregate.answer;
  if (status === null) return 200;
  const value = Number(status.evaluate(vars));
  if (value >= 200 && value <= 599) return value;
  throw new EvaluationFailure('value', `${value} is no status of an answer`);
}

function headersOf({ aggregate, vars }: AggregateRun, partial: readonly string[]): Headers {
  const headers: Headers = [];
  for (const { name, values } of aggregate.headers)
    for (const value of values(vars)) headers.push(name, value);
  if (!hasHeader(headers, 'content-type')) headers.unshift('content-type', 'application/json');
  if (partial.length > 0) {
    // What is missing may be there at the next request.
    removeHeader(headers, 'cache-control');
    headers.push('cache-control', 'no-store', 'tidegate-partial', partial.join(', '));
  }
  return headers;
}

function contentOf({ aggregate, vars, calls }: AggregateRun): Value {
  const { body } = aggregate.answer;
  if (body !== null) return body.evaluate(vars);
  return new Map<Value, Value>(calls.map((run) => [run.call.name, run.body]));
}

/** What a part answered, as the answer: its status, its type, its body; and what a 401 must not come without (RFC 9110 §15.5.2). */
export function passedAnswer({ status, headers, body }: Trouble): Reply {
  const type = getHeader(headers, 'content-type');
  const own: Headers = type === undefined ? [] : ['content-type', type];
  own.push('cache-control', 'no-store');
  if (status === 401)
    for (const challenge of getHeaders(headers, 'www-authenticate')) own.push('www-authenticate', challenge);
  return reply(status, own, WITHOUT_CONTENT.has(status) || body?.length === 0 ? null : body);
}
