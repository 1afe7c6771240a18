import type { CompressConfig } from '../../config/model.ts';
import { type Body, type BodySource, isSource } from '../../http/body.ts';
import type { CodedForms } from '../../http/coded-forms.ts';
import { Failure } from '../../http/errors.ts';
import { type Exchange, type Reply, reply } from '../../http/exchange.ts';
import {
  getHeader,
  getJoined,
  type Headers,
  hasHeader,
  removeHeader,
  setHeader,
  trimOws,
} from '../../http/headers.ts';
import { isEventStream, isGrpc } from '../../http/media-type.ts';
import { RepeatedAnswer, RepeatedReply, type Timed } from '../../http/repeated.ts';
import { type Coding, chooseCoding } from './accept-encoding.ts';
import { CompressedBody } from './compressed-body.ts';
import { addVary } from './cors.ts';
import { encodeAside, encodeAtOnce } from './encode-at-once.ts';

/** Compresses an answer where it is worth it and the client takes it. A promise only where content is waited for. */
export type Compress = (exchange: Exchange, answer: Reply) => Reply | Promise<Reply>;

/** Up to here a body is compressed in one go: a stream's hand-overs between threads cost more than the work. */
const AT_ONCE = 64 * 1024;

export function compileCompress({ minSize, types }: CompressConfig): Compress {
  // Nothing is no valid message of any coding: what has no bytes goes out as it is, however small the bound.
  const least = Math.max(minSize, 1);
  const exact = new Set(types.filter((type) => !type.includes('*')));
  const prefixes = types.filter((type) => type.endsWith('/*')).map((type) => type.slice(0, -1));
  const suffixes = types.filter((type) => type.startsWith('*')).map((type) => type.slice(1));
  const worth = (type: string) =>
    exact.has(type) ||
    prefixes.some((one) => type.startsWith(one)) ||
    suffixes.some((one) => type.endsWith(one));
  const compress = (answer: Reply, coding: Coding | null, method: string, forms: CodedForms | null) => {
    const { headers, body } = answer;
    const type = trimOws((getHeader(headers, 'content-type') ?? '').split(';', 1)[0]!).toLowerCase();
    if (!isCompressible(answer) || !worth(type)) return answer;
    addVary(headers, 'Accept-Encoding');
    const size = method === 'HEAD' ? announcedLength(headers, body) : (body?.length ?? 0);
    if (coding === null || isPart(answer) || (size >= 0 && size < least)) return answer;
    markCoded(headers, coding);
    return withBody(answer, coding, forms);
  };
  /** What comes from the cache as it was kept: what it becomes is made once. */
  const repeated = (coding: Coding | null, forms: CodedForms, timed: Timed) => {
    const form = forms.under(compress, coding ?? 'identity', (plain) => {
      const one = compress(reply(plain.status, plain.headers.slice(), plain.body), coding, 'GET', forms);
      return one instanceof Promise ? one.then((coded) => formOf(coded, plain)) : formOf(one, plain);
    });
    if (form instanceof Promise) return form.then((whole) => new RepeatedReply(whole, timed));
    return new RepeatedReply(form, timed);
  };
  return (exchange, answer) => {
    if (answer.status === 304) return confirmed(exchange, answer);
    const coding = chooseCoding(getJoined(exchange.headers, 'accept-encoding'));
    const given = answer instanceof RepeatedReply ? answer : null;
    const forms = given?.coded ?? null;
    if (given !== null && forms !== null && given.untouched !== null)
      return repeated(coding, forms, given.timed);
    return compress(answer, coding, exchange.method, forms);
  };
}

/** Its content is all at hand by now. */
function formOf({ status, headers, body }: Reply, plain: RepeatedAnswer): RepeatedAnswer {
  // No rule takes a header away and nothing else.
  const same = body === plain.body && headers.every((text, i) => text === plain.headers[i]);
  if (same) return plain;
  return new RepeatedAnswer(status, headers, Buffer.isBuffer(body) ? body : EMPTY, plain.timedNames);
}

/**
 * A 304 speaks of the answer that the client keeps, which may be the coded one: its validator must not become
 * a strong one again, or ranges of the plain bytes would be put into the coded ones (RFC 9110 §15.4.5); and the
 * length and digests of the plain bytes are not those of what a 200 would carry (§8.6).
 */
function confirmed(exchange: Exchange, answer: Reply): Reply {
  addVary(answer.headers, 'Accept-Encoding');
  if (chooseCoding(getJoined(exchange.headers, 'accept-encoding')) !== null) leavePlainBytes(answer.headers);
  return answer;
}

/** A range stays as it is, and says what the whole answer would have varied by (RFC 9110 §15.3.7). */
function isPart({ status, headers }: Reply): boolean {
  return status === 206 || hasHeader(headers, 'content-range');
}

/**
 * Never an event stream, what is coded or must not be changed, or what has no content. gRPC codes its messages one by
 * one.
 */
function isCompressible({ status, headers }: Reply): boolean {
  if (status < 200 || status === 204) return false;
  if (hasHeader(headers, 'content-encoding')) return false;
  if (/(?:^|[\s,])no-transform(?:$|[\s,])/i.test(getJoined(headers, 'cache-control') ?? '')) return false;
  return !isEventStream(headers) && !isGrpc(headers);
}

function announcedLength(headers: Headers, body: Body): number {
  if (body !== null) return body.length;
  const length = getHeader(headers, 'content-length');
  return length === undefined ? -1 : Number(length);
}

const OF_PLAIN_BYTES = [
  'content-length',
  'accept-ranges',
  'content-md5',
  'content-digest',
  'repr-digest',
  'digest',
];

function markCoded(headers: Headers, coding: Coding): void {
  headers.push('Content-Encoding', coding);
  leavePlainBytes(headers);
}

/** The coded form is another representation: a strong validator no longer holds, nor do lengths and ranges. */
function leavePlainBytes(headers: Headers): void {
  for (const name of OF_PLAIN_BYTES) removeHeader(headers, name);
  const etag = getHeader(headers, 'etag');
  if (etag !== undefined && !etag.startsWith('W/')) setHeader(headers, 'ETag', `W/${etag}`);
}

function withBody(answer: Reply, coding: Coding, forms: CodedForms | null): Reply | Promise<Reply> {
  const { body } = answer;
  if (body === null) return answer;
  if (!isSource(body)) {
    const encode = (bytes: Buffer) =>
      bytes.length > AT_ONCE ? encodeAside(bytes, coding) : encodeAtOnce(bytes, coding);
    const coded = forms === null ? encode(body) : forms.body(coding, encode);
    if (coded instanceof Promise) return coded.then((bytes) => withBytes(answer, bytes));
    return withBytes(answer, coded);
  }
  if (body.length < 0 || body.length > AT_ONCE) {
    answer.body = new CompressedBody(body, coding);
    return answer;
  }
  return encodeWhole(body, coding).then((coded) => {
    // What broke off is cut for the client too: it gets what came, as an answer that does not end.
    answer.body = coded instanceof Failure ? brokenBody(coded) : coded;
    return answer;
  });
}

function withBytes(answer: Reply, bytes: Buffer): Reply {
  answer.body = bytes;
  return answer;
}

/** Reads a body of known length and compresses it. One that comes in one piece is compressed where it lies. */
function encodeWhole(body: BodySource, coding: Coding): Promise<Buffer | Failure> {
  return new Promise((resolve) => {
    let gathered: Buffer | null = null;
    let size = 0;
    let coded: Buffer | null = null;
    body.open({
      write(chunk) {
        if (chunk.length === body.length) {
          coded = encodeAtOnce(chunk, coding);
          return true;
        }
        gathered ??= Buffer.allocUnsafe(body.length);
        size += chunk.copy(gathered, size);
        return true;
      },
      end: () => resolve(coded ?? encodeAtOnce((gathered ?? EMPTY).subarray(0, size), coding)),
      fail: resolve,
    });
  });
}

const EMPTY = Buffer.alloc(0);

function brokenBody(failure: Failure): Body {
  return { length: -1, open: (sink) => sink.fail(failure), resume() {}, cancel() {} };
}
