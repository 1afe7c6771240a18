import type { ByteReader } from './byte-reader.ts';
import { show, Truncated } from './byte-reader.ts';

/**
 * A strict reader of HTTP/1.1 messages that shares no code with the gateway's own parser: anything that
 * RFC 9112 does not allow a sender to send is an error.
 */

export type Pairs = [name: string, value: string][];
export type Framing = 'none' | 'length' | 'chunked' | 'close' | 'tunnel';

export interface RawHead {
  version: string;
  status: number;
  reason: string;
  headers: Pairs;
}

export interface RawResponse extends RawHead {
  /** What came before the final answer: 100, 103. */
  interim: RawHead[];
  body: Buffer;
  trailers: Pairs;
  framing: Framing;
  /** The bytes of it all, interim answers included. */
  raw: Buffer;
}

export interface RawRequestHead {
  method: string;
  target: string;
  version: string;
  headers: Pairs;
}

/** The sender broke the syntax of HTTP/1.1. */
export class Violation extends Error {
  constructor(what: string, bytes: Buffer) {
    super(`not valid HTTP/1.1: ${what}; ${show(bytes)}`);
    this.name = 'Violation';
  }
}

/** All values of a header, in order; names are compared without case. */
export function headerValues(message: { headers: Pairs }, name: string): string[] {
  const lower = name.toLowerCase();
  return message.headers.filter(([other]) => other.toLowerCase() === lower).map(([, value]) => value);
}

/** The one value of a header, or undefined; fails where it stands twice. */
export function headerValue(message: { headers: Pairs }, name: string): string | undefined {
  const values = headerValues(message, name);
  if (values.length > 1) throw new Error(`${name} stands ${values.length} times: ${JSON.stringify(values)}`);
  return values[0];
}

/** Reads interim answers and the final one to a request of this method. */
export async function readResponse(bytes: ByteReader, method: string): Promise<RawResponse> {
  const recorded = bytes.record();
  const interim: RawHead[] = [];
  let head = await readHead(bytes);
  while (head.status < 200 && head.status !== 101) {
    interim.push(head);
    head = await readHead(bytes);
  }
  const framing = responseFraming(head, method);
  const { body, trailers } = await readContent(bytes, head.headers, framing);
  return { ...head, interim, framing, body, trailers, raw: recorded() };
}

/** One status line with its header fields. */
export async function readHead(bytes: ByteReader): Promise<RawHead> {
  const line = await readLine(bytes);
  const found = /^HTTP\/(1\.[01]) ([1-9]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/.exec(line);
  if (found === null) throw new Violation('a status line was expected', Buffer.from(line, 'latin1'));
  const [, version, status, reason] = found as unknown as [string, string, string, string];
  return { version, status: Number(status), reason, headers: await readFields(bytes) };
}

export async function readRequestHead(bytes: ByteReader): Promise<RawRequestHead> {
  const line = await readLine(bytes);
  const found = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e\x80-\xff]+) HTTP\/(1\.[01])$/.exec(line);
  if (found === null) throw new Violation('a request line was expected', Buffer.from(line, 'latin1'));
  const [, method, target, version] = found as unknown as [string, string, string, string];
  return { method, target, version, headers: await readFields(bytes) };
}

export async function readRequestBody(
  bytes: ByteReader,
  head: RawRequestHead,
): Promise<{ body: Buffer; trailers: Pairs }> {
  const framing = declaredFraming(head.headers) ?? 'none';
  return await readContent(bytes, head.headers, framing);
}

function responseFraming(head: RawHead, method: string): Framing {
  const declared = declaredFraming(head.headers);
  if (head.status === 101) return 'tunnel';
  if (head.status === 204 && declared !== null) throw violation('204 with a length', head); // RFC 9110 §8.6
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return 'none';
  return declared ?? 'close';
}

function violation(what: string, head: { headers: Pairs }): Violation {
  return new Violation(what, Buffer.from(JSON.stringify(head.headers)));
}

function declaredFraming(headers: Pairs): 'length' | 'chunked' | null {
  const lengths = headerValues({ headers }, 'content-length');
  const codings = headerValues({ headers }, 'transfer-encoding');
  if (lengths.length > 0 && codings.length > 0) throw violation('a length beside a coding', { headers });
  if (codings.length > 0) {
    if (codings.length > 1 || codings[0] !== 'chunked') throw violation('an unknown coding', { headers });
    return 'chunked';
  }
  if (lengths.length === 0) return null;
  if (lengths.length > 1 || !/^\d{1,15}$/.test(lengths[0]!)) throw violation('a bad length', { headers });
  return 'length';
}

async function readContent(
  bytes: ByteReader,
  headers: Pairs,
  framing: Framing,
): Promise<{ body: Buffer; trailers: Pairs }> {
  if (framing === 'chunked') return await readChunks(bytes);
  if (framing === 'length') {
    return { body: await bytes.exactly(Number(headerValue({ headers }, 'content-length'))), trailers: [] };
  }
  if (framing !== 'close') return { body: Buffer.alloc(0), trailers: [] };
  const body = await bytes.rest();
  if (bytes.ending === 'reset') throw new Truncated('reset', 'an orderly end', body);
  return { body, trailers: [] };
}

async function readChunks(bytes: ByteReader): Promise<{ body: Buffer; trailers: Pairs }> {
  const parts: Buffer[] = [];
  for (;;) {
    const line = await readLine(bytes);
    if (!/^[0-9a-fA-F]{1,12}$/.test(line))
      throw new Violation('a chunk size was expected', Buffer.from(line));
    const size = Number.parseInt(line, 16);
    if (size === 0) return { body: Buffer.concat(parts), trailers: await readFields(bytes) };
    parts.push(await bytes.exactly(size));
    const end = await bytes.exactly(2);
    if (end.toString('latin1') !== '\r\n') throw new Violation('a chunk does not end in CRLF', end);
  }
}

async function readFields(bytes: ByteReader): Promise<Pairs> {
  const fields: Pairs = [];
  for (;;) {
    const line = await readLine(bytes);
    if (line === '') return fields;
    const found = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(line);
    if (found === null) throw new Violation('a header field was expected', Buffer.from(line, 'latin1'));
    fields.push([found[1]!, found[2]!]);
  }
}

async function readLine(bytes: ByteReader): Promise<string> {
  const line = (await bytes.line()).toString('latin1');
  if (!line.endsWith('\r\n')) throw new Violation('a line does not end in CRLF', Buffer.from(line, 'latin1'));
  return line.slice(0, -2);
}
