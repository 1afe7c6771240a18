import { type ErrorCode, Failure } from '../http/errors.ts';

/** How a stream ended on which no whole answer came. */
interface StreamEnd {
  /** Of its reset. */
  readonly code: number;
  /** What node:http2 says of it; null where it says nothing. */
  readonly error: NodeJS.ErrnoException | null;
  /** The head of the final answer had come. */
  readonly begun: boolean;
  /** Its connection ended with it. */
  readonly lost: boolean;
  /** It came too late for its connection, and nothing was done about it (GOAWAY). */
  readonly goneAway: boolean;
}

/**
 * What the code of a reset means before there is an answer (RFC 9113 §7), by its number. Codes that accuse the
 * gateway of breaking the protocol stand for a service that does: what is sent to it is made by rule.
 */
const CODES: readonly (readonly [name: string, ErrorCode])[] = [
  ['NO_ERROR', 'TG_UPSTREAM_RESET'],
  ['PROTOCOL_ERROR', 'TG_UPSTREAM_INVALID'],
  ['INTERNAL_ERROR', 'TG_UPSTREAM_RESET'],
  ['FLOW_CONTROL_ERROR', 'TG_UPSTREAM_INVALID'],
  ['SETTINGS_TIMEOUT', 'TG_UPSTREAM_RESET'],
  ['STREAM_CLOSED', 'TG_UPSTREAM_RESET'],
  ['FRAME_SIZE_ERROR', 'TG_UPSTREAM_INVALID'],
  ['REFUSED_STREAM', 'TG_UPSTREAM_REFUSED'],
  ['CANCEL', 'TG_UPSTREAM_RESET'],
  ['COMPRESSION_ERROR', 'TG_UPSTREAM_INVALID'],
  ['CONNECT_ERROR', 'TG_UPSTREAM_RESET'],
  ['ENHANCE_YOUR_CALM', 'TG_UPSTREAM_BUSY'],
  ['INADEQUATE_SECURITY', 'TG_UPSTREAM_RESET'],
  ['HTTP_1_1_REQUIRED', 'TG_UPSTREAM_INVALID'],
];

/** The row of the table of errors for it. */
export function failureOf(end: StreamEnd): Failure {
  const cause = causeOf(end);
  if (end.begun) return new Failure('TG_UPSTREAM_TRUNCATED', cause);
  if (end.goneAway) return new Failure('TG_UPSTREAM_RESET', cause);
  if (end.lost) return new Failure(brokeProtocol(end) ? 'TG_UPSTREAM_INVALID' : 'TG_UPSTREAM_RESET', cause);
  return new Failure(CODES[end.code]?.[1] ?? 'TG_UPSTREAM_RESET', cause);
}

function causeOf({ code, error, lost, goneAway }: StreamEnd): string {
  if (goneAway) return 'the connection was ended before this request (GOAWAY)';
  if (lost) return error?.message ?? 'connection ended';
  return `stream reset (${CODES[code]?.[0] ?? code})`;
}

/** node:http2 found that what came was no HTTP/2. */
function brokeProtocol({ error }: StreamEnd): boolean {
  return error?.code === 'ERR_HTTP2_ERROR';
}
