/** Statuses whose caching rules are known here, as `must-understand` asks (RFC 9111 §5.2.2.3). */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408,
  409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504,
  505,
]);

/** Statuses that may be kept without a lifetime of their own (RFC 9110 §15.1), but 206, which isn't kept here. */
const HEURISTIC: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);

/** Statuses for which a route's bare `ttl` holds. */
const BARE: ReadonlySet<number> = new Set([200, 203, 301, 308, 404, 410]);

export function isUnderstood(status: number): boolean {
  return UNDERSTOOD.has(status);
}

export function isHeuristic(status: number): boolean {
  return HEURISTIC.has(status);
}

export function takesBareTtl(status: number): boolean {
  return BARE.has(status);
}

/** `ttl.default` holds for all statuses but those that tell of a state soon gone, which must be named. */
export function takesDefaultTtl(status: number): boolean {
  return status < 500 && status !== 401 && status !== 403 && status !== 407 && status !== 429;
}
