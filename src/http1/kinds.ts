/**
 * What a header means to a gateway. Everything else about headers goes by name; these few are told apart
 * for every header of every message, so they are numbers found by length and letters, without a new string.
 */
export const Kind = {
  ordinary: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  expect: 5,
  upgrade: 6,
  te: 7,
  trailer: 8,
  /** Proxy-Connection, Proxy-Authenticate, Proxy-Authorization, HTTP2-Settings: end here. */
  hop: 9,
  via: 10,
  forwarded: 11,
  forwardedFor: 12,
  forwardedProto: 13,
  forwardedHost: 14,
  /** X-Forwarded and other X-Forwarded-*, and X-Real-IP. */
  forwardedOther: 15,
  requestId: 16,
  traceparent: 17,
  tracestate: 18,
  /** The gateway's own identity headers: a client's copy never passes, in any spelling. */
  identity: 19,
  date: 20,
  maxForwards: 21,
  /** Ends here too, but tells how long the connection is kept. */
  keepAlive: 22,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/**
 * It concerns one connection of HTTP/1.1 and ends there (RFC 9110 §7.6.1); HTTP/2 has no place for it at all (RFC
 * 9113 §8.2.2).
 */
export function endsAtConnection(kind: Kind): boolean {
  return (
    kind === Kind.connection ||
    kind === Kind.transferEncoding ||
    kind === Kind.keepAlive ||
    kind === Kind.hop ||
    kind === Kind.te ||
    kind === Kind.upgrade
  );
}

/** `_` counts as `-` where a service behind CGI-like naming would take one for the other. */
function is(name: string, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    let code = name.charCodeAt(i);
    if (code >= 65 && code <= 90) code |= 32;
    else if (code === 95) code = 45;
    if (code !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** As `is`, for the headers that frame a message: only the very name counts. */
function exactly(name: string, lower: string): boolean {
  return is(name, lower) && (lower.indexOf('-') < 0 || name.indexOf('_') < 0);
}

/**
 * Any punctuation counts as `-`: CGI and its kin make `_` of it, some of them of every character that is neither
 * letter nor digit, and this header says who is asking.
 */
function loosely(name: string, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    const code = name.charCodeAt(i);
    const wanted = lower.charCodeAt(i);
    if (wanted === 45 ? isAlphanumeric(code) : (code | 32) !== wanted) return false;
  }
  return true;
}

function isAlphanumeric(code: number): boolean {
  const lower = code | 32;
  return (lower >= 97 && lower <= 122) || (code >= 48 && code <= 57);
}

export function kindOf(name: string): Kind {
  switch (name.length) {
    case 2:
      return is(name, 'te') ? Kind.te : Kind.ordinary;
    case 3:
      return is(name, 'via') ? Kind.via : Kind.ordinary;
    case 4:
      if (is(name, 'host')) return Kind.host;
      return is(name, 'date') ? Kind.date : Kind.ordinary;
    case 6:
      return is(name, 'expect') ? Kind.expect : Kind.ordinary;
    case 7:
      if (is(name, 'upgrade')) return Kind.upgrade;
      return is(name, 'trailer') ? Kind.trailer : Kind.ordinary;
    case 9:
      if (is(name, 'forwarded')) return Kind.forwarded;
      return is(name, 'x-real-ip') ? Kind.forwardedOther : Kind.ordinary;
    case 10:
      if (is(name, 'connection')) return Kind.connection;
      if (is(name, 'keep-alive')) return Kind.keepAlive;
      return is(name, 'tracestate') ? Kind.tracestate : Kind.ordinary;
    case 11:
      if (is(name, 'traceparent')) return Kind.traceparent;
      return is(name, 'x-forwarded') ? Kind.forwardedOther : Kind.ordinary;
    case 12:
      if (is(name, 'x-request-id')) return Kind.requestId;
      return exactly(name, 'max-forwards') ? Kind.maxForwards : Kind.ordinary;
    case 14:
      if (exactly(name, 'content-length')) return Kind.contentLength;
      if (loosely(name, 'x-auth-subject')) return Kind.identity;
      return is(name, 'http2-settings') ? Kind.hop : otherForwarded(name);
    case 15:
      return is(name, 'x-forwarded-for') ? Kind.forwardedFor : otherForwarded(name);
    case 16:
      if (is(name, 'x-forwarded-host')) return Kind.forwardedHost;
      if (is(name, 'proxy-connection')) return Kind.hop;
      return otherForwarded(name);
    case 17:
      if (exactly(name, 'transfer-encoding')) return Kind.transferEncoding;
      return is(name, 'x-forwarded-proto') ? Kind.forwardedProto : otherForwarded(name);
    case 18:
      if (loosely(name, 'x-auth-permissions')) return Kind.identity;
      return is(name, 'proxy-authenticate') ? Kind.hop : otherForwarded(name);
    case 19:
      return is(name, 'proxy-authorization') ? Kind.hop : otherForwarded(name);
    default:
      return name.length > 12 ? otherForwarded(name) : Kind.ordinary;
  }
}

function otherForwarded(name: string): Kind {
  // The third letter rules out nearly all names before the whole prefix is compared.
  return (name.charCodeAt(2) | 32) === 102 && is(name, 'x-forwarded-') ? Kind.forwardedOther : Kind.ordinary;
}
