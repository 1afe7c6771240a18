/**
 * The one table of what the gateway itself answers when it can't do what was asked.
 * Problem documents, logs, metrics, docs and tests are derived from it.
 */

/** Who must change something so that it doesn't happen again. */
export type Blame = 'client' | 'upstream' | 'gateway' | 'operator';

/**
 * May the request be sent once more? `unsent`: no byte of it reached a service, so always.
 * `idempotent`: only if its method says that twice is as once. `never`: it would fail again, or has been answered.
 */
export type RetrySafety = 'unsent' | 'idempotent' | 'never';

export interface ErrorEntry {
  readonly status: number;
  readonly title: string;
  readonly blame: Blame;
  readonly retry: RetrySafety;
  /** One sentence for whoever reads the answer; never names an address. */
  readonly detail: string;
}

const entry = (
  status: number,
  title: string,
  blame: Blame,
  retry: RetrySafety,
  detail: string,
): ErrorEntry => ({
  status,
  title,
  blame,
  retry,
  detail,
});

export const ERRORS = {
  // The request could not be read.
  TG_REQUEST_MALFORMED: entry(
    400,
    'Bad Request',
    'client',
    'never',
    'The request breaks the syntax of HTTP/1.1.',
  ),
  TG_REQUEST_FRAMING: entry(
    400,
    'Bad Request',
    'client',
    'never',
    'The length of the request body is ambiguous or malformed.',
  ),
  TG_REQUEST_HOST: entry(400, 'Bad Request', 'client', 'never', 'The request needs exactly one valid Host.'),
  TG_REQUEST_TARGET: entry(
    400,
    'Bad Request',
    'client',
    'never',
    'The request target is not a path or URL that can be forwarded safely.',
  ),
  TG_REQUEST_VALUE: entry(
    400,
    'Bad Request',
    'client',
    'never',
    'A value of the request cannot be put where the route uses it.',
  ),
  TG_REQUEST_BODY_JSON: entry(
    400,
    'Bad Request',
    'client',
    'never',
    'The request body is not valid JSON, or names a member twice.',
  ),
  TG_REQUEST_CONNECT: entry(501, 'Not Implemented', 'client', 'never', 'CONNECT is not offered here.'),
  TG_REQUEST_EXPECTATION: entry(
    417,
    'Expectation Failed',
    'client',
    'never',
    'The only expectation that can be met is 100-continue.',
  ),
  TG_REQUEST_ENCODING: entry(
    501,
    'Not Implemented',
    'client',
    'never',
    'The transfer coding is not known; only chunked is.',
  ),
  TG_REQUEST_VERSION: entry(
    505,
    'HTTP Version Not Supported',
    'client',
    'never',
    'Only HTTP/1.1 and HTTP/1.0 are spoken here.',
  ),
  TG_REQUEST_URI_TOO_LONG: entry(
    414,
    'URI Too Long',
    'client',
    'never',
    'The request target is longer than this listener allows.',
  ),
  TG_REQUEST_HEAD_TOO_LARGE: entry(
    431,
    'Request Header Fields Too Large',
    'client',
    'never',
    'The request head is larger than this listener allows.',
  ),
  TG_REQUEST_BODY_TOO_LARGE: entry(
    413,
    'Content Too Large',
    'client',
    'never',
    'The request body is larger than allowed here.',
  ),
  TG_REQUEST_TIMEOUT: entry(408, 'Request Timeout', 'client', 'never', 'The request did not arrive in time.'),
  TG_CLIENT_CLOSED: entry(
    499,
    'Client Closed Request',
    'client',
    'never',
    'The client left before the answer was complete.',
  ),
  // No route takes it.
  TG_ROUTE_NOT_FOUND: entry(404, 'Not Found', 'client', 'never', 'No route matches this request.'),
  TG_ROUTE_METHOD: entry(
    405,
    'Method Not Allowed',
    'client',
    'never',
    'The path exists, but not for this method.',
  ),
  // Who asks, and what they may.
  TG_AUTH_AMBIGUOUS: entry(
    400,
    'Bad Request',
    'client',
    'never',
    'A credential stands in the request more than once.',
  ),
  TG_AUTH_MISSING: entry(401, 'Unauthorized', 'client', 'never', 'This needs a credential.'),
  TG_AUTH_INVALID: entry(401, 'Unauthorized', 'client', 'never', 'The credential is not valid here.'),
  TG_AUTH_ENDED: entry(
    401,
    'Unauthorized',
    'client',
    'never',
    'The credential ended while the answer was under way.',
  ),
  TG_AUTH_FORBIDDEN: entry(403, 'Forbidden', 'client', 'never', 'This is not allowed to whoever asks.'),
  TG_LIMIT_EXCEEDED: entry(
    429,
    'Too Many Requests',
    'client',
    'unsent',
    'There were too many requests in too short a time.',
  ),
  TG_LIMIT_RATE: entry(
    500,
    'Internal Server Error',
    'gateway',
    'never',
    'The rate of a limit could not be worked out.',
  ),
  TG_AUTH_ORIGIN: entry(
    403,
    'Forbidden',
    'client',
    'never',
    'A request that a cookie vouches for must come from a page of the same origin.',
  ),
  TG_AUTH_UNAVAILABLE: entry(
    503,
    'Service Unavailable',
    'upstream',
    'never',
    'Whether this is allowed cannot be found out now.',
  ),
  // The service failed.
  TG_UPSTREAM_CREDENTIAL: entry(
    503,
    'Service Unavailable',
    'upstream',
    'unsent',
    'The credential with which the gateway asks the service cannot be had now.',
  ),
  TG_UPSTREAM_REFUSED: entry(502, 'Bad Gateway', 'upstream', 'unsent', 'The service could not be reached.'),
  TG_UPSTREAM_DNS: entry(
    502,
    'Bad Gateway',
    'upstream',
    'unsent',
    'The name of the service could not be resolved.',
  ),
  TG_UPSTREAM_TLS: entry(
    502,
    'Bad Gateway',
    'upstream',
    'unsent',
    'No trusted TLS connection to the service could be made.',
  ),
  TG_UPSTREAM_CONNECT_TIMEOUT: entry(
    504,
    'Gateway Timeout',
    'upstream',
    'unsent',
    'The service did not accept a connection in time.',
  ),
  TG_UPSTREAM_RESET: entry(
    502,
    'Bad Gateway',
    'upstream',
    'idempotent',
    'The service closed the connection before it answered.',
  ),
  TG_UPSTREAM_INVALID: entry(
    502,
    'Bad Gateway',
    'upstream',
    'idempotent',
    'The service answered something that is not valid HTTP.',
  ),
  TG_UPSTREAM_TRUNCATED: entry(
    502,
    'Bad Gateway',
    'upstream',
    'idempotent',
    'The service broke off its answer.',
  ),
  TG_UPSTREAM_TIMEOUT: entry(
    504,
    'Gateway Timeout',
    'upstream',
    'never',
    'The service did not answer in time.',
  ),
  TG_UPSTREAM_FIRST_BYTE: entry(
    504,
    'Gateway Timeout',
    'upstream',
    'idempotent',
    'The service did not begin its answer in time.',
  ),
  TG_UPSTREAM_IDLE_TIMEOUT: entry(
    504,
    'Gateway Timeout',
    'upstream',
    'never',
    'The service stopped moving bytes.',
  ),
  TG_UPSTREAM_BUSY: entry(
    503,
    'Service Unavailable',
    'upstream',
    'unsent',
    'The service has as many requests as it may take.',
  ),
  TG_UPSTREAM_UNAVAILABLE: entry(
    503,
    'Service Unavailable',
    'upstream',
    'unsent',
    'No target of the service is available.',
  ),
  TG_UPSTREAM_OPEN: entry(
    503,
    'Service Unavailable',
    'upstream',
    'unsent',
    'The service fails too often and is given a pause.',
  ),
  TG_UPSTREAM_UPGRADE: entry(
    501,
    'Not Implemented',
    'client',
    'never',
    'The service is spoken to in HTTP/2, where no connection switches to another protocol.',
  ),
  TG_UPSTREAM_VALUE: entry(
    502,
    'Bad Gateway',
    'operator',
    'never',
    'A value could not be put where the route uses it.',
  ),
  TG_CALL_FAILED: entry(502, 'Bad Gateway', 'upstream', 'never', 'A call that the answer needs has failed.'),
  TG_CALL_TIMEOUT: entry(
    504,
    'Gateway Timeout',
    'upstream',
    'never',
    'A call that the answer needs did not end in time.',
  ),
  // The cache.
  TG_CACHE_ONLY_IF_CACHED: entry(
    504,
    'Gateway Timeout',
    'client',
    'never',
    'The request asks for a stored answer or none (only-if-cached), and there is none that it may have.',
  ),
  TG_AFTER_MALFORMED: entry(
    400,
    'Bad Request',
    'client',
    'never',
    'tidegate-after does not name change sources and positions as their databases spell them.',
  ),
  // The gateway itself.
  TG_OVERLOADED: entry(
    503,
    'Service Unavailable',
    'gateway',
    'unsent',
    'The gateway has more work than it can do in time.',
  ),
  TG_DRAINING: entry(503, 'Service Unavailable', 'gateway', 'unsent', 'The gateway is shutting down.'),
  TG_EXPRESSION_FAILED: entry(
    500,
    'Internal Server Error',
    'operator',
    'never',
    'An expression of the route failed.',
  ),
  TG_INTERNAL: entry(
    500,
    'Internal Server Error',
    'gateway',
    'never',
    'The gateway failed to handle this request.',
  ),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** One thing that went wrong with one request. Not thrown: handed to whoever decides what follows from it. */
export class Failure {
  readonly code: ErrorCode;
  /** For logs alone: what exactly happened, addresses included. */
  readonly cause: string;
  /** Seconds for `Retry-After`, where known. */
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, cause = '', retryAfter?: number) {
    this.code = code;
    this.cause = cause;
    this.retryAfter = retryAfter;
  }

  get entry(): ErrorEntry {
    return ERRORS[this.code];
  }
}

/** A bug, not a condition: the client gets a plain 500, the log the reason. */
export function crashOf(error: unknown): Failure {
  return new Failure('TG_INTERNAL', error instanceof Error ? (error.stack ?? error.message) : String(error));
}
