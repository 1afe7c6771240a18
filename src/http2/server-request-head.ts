import type { ErrorCode } from '../http/errors.ts';
import { type Headers, isToken } from '../http/headers.ts';
import { Kind, kindOf, RequestHead, resolveTarget } from '../http1/index.ts';

/** Bytes, and a number of fields. */
export interface HeadLimits {
  uri: number;
  head: number;
  headers: number;
}

/** A request as it stands in a HEADERS frame, understood. */
export interface StreamHead {
  method: string;
  target: string;
  authority: string;
  headers: Headers;
  /** -1: it was not said. */
  contentLength: number;
  expect: string | null;
  /** The client takes trailers. */
  trailers: boolean;
}

/** What each field counts for beside its name and value (RFC 9113 §6.5.2). */
const FIELD_OVERHEAD = 32;

/**
 * The head of a request out of its fields, `[name, value, …]` with the pseudo-fields first (RFC 9113 §8.3.1), or
 * what is wrong with it. What RFC 9113 §8.1.1 calls malformed has been refused before, by a reset of its stream.
 */
export function readRequestHead(fields: readonly string[], limits: HeadLimits): StreamHead | ErrorCode {
  const reader = new FieldReader(limits);
  for (let i = 0; i < fields.length; i += 2) {
    const problem = reader.field(fields[i]!, fields[i + 1]!);
    if (problem !== null) return problem;
  }
  return reader.head();
}

class FieldReader {
  private readonly limits: HeadLimits;
  private readonly headers: Headers = [];
  private readonly cookies: string[] = [];
  private method = '';
  private path: string | null = null;
  private authority: string | null = null;
  private host: string | null = null;
  private contentLength = -1;
  private expect: string | null = null;
  private trailers = false;
  private size = 0;
  private count = 0;

  constructor(limits: HeadLimits) {
    this.limits = limits;
  }

  field(name: string, value: string): ErrorCode | null {
    if (name.charCodeAt(0) === COLON) return this.pseudo(name, value);
    this.size += name.length + value.length + FIELD_OVERHEAD;
    if (this.size > this.limits.head) return 'TG_REQUEST_HEAD_TOO_LARGE';
    // Lines of one Cookie that a client split count once (RFC 9113 §8.2.3).
    if (name === 'cookie') {
      this.cookies.push(value);
      return null;
    }
    if (++this.count > this.limits.headers) return 'TG_REQUEST_HEAD_TOO_LARGE';
    return this.ordinary(name, value);
  }

  private pseudo(name: string, value: string): ErrorCode | null {
    if (name === ':method') this.method = value;
    else if (name === ':authority') this.authority = value;
    else if (name === ':path') {
      if (value.length > this.limits.uri) return 'TG_REQUEST_URI_TOO_LONG';
      this.path = value;
    }
    return null;
  }

  private ordinary(name: string, value: string): ErrorCode | null {
    switch (kindOf(name)) {
      case Kind.host:
        if (this.host !== null) return 'TG_REQUEST_HOST';
        this.host = value;
        return null;
      case Kind.contentLength:
        if (this.contentLength >= 0 || !/^\d{1,15}$/.test(value)) return 'TG_REQUEST_FRAMING';
        this.contentLength = Number(value);
        break;
      case Kind.expect:
        if (this.expect !== null && this.expect !== value) return 'TG_REQUEST_EXPECTATION';
        this.expect = value;
        break;
      case Kind.te:
        this.trailers = /(^|,)[ \t]*trailers[ \t]*(;|,|$)/i.test(value);
        break;
      default:
    }
    this.headers.push(name, value);
    return null;
  }

  head(): StreamHead | ErrorCode {
    const { method, path, authority, host, headers } = this;
    if (!isToken(method) || (path === null && method !== 'CONNECT')) return 'TG_REQUEST_MALFORMED';
    // Two names for one server: whoever looks at the other one would be misled (RFC 9113 §8.3.1).
    if (authority !== null && host !== null && authority.toLowerCase() !== host.toLowerCase())
      return 'TG_REQUEST_HOST';
    const line = new RequestHead();
    line.method = method;
    line.target = path ?? '';
    line.host = authority ?? host;
    if (method !== 'CONNECT' && !isPath(line.target)) return 'TG_REQUEST_TARGET';
    if (line.host === null || line.host === '') return 'TG_REQUEST_HOST';
    const target = resolveTarget(line);
    if (typeof target === 'string') return target;
    headers.unshift('host', target.authority);
    if (this.cookies.length > 0) headers.push('cookie', this.cookies.join('; '));
    const { contentLength, expect, trailers } = this;
    return { method, ...target, headers, contentLength, expect, trailers };
  }
}

const COLON = 58;

/** In HTTP/2 no target has a scheme and authority of its own. */
function isPath(target: string): boolean {
  return (target === '*' || target.startsWith('/')) && /^[\x21-\x7e]+$/.test(target);
}
