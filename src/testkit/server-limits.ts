/** Limits of a listener that none of what a test sends comes near. Bytes, milliseconds. */
export const SERVER_LIMITS = {
  uri: 8192,
  head: 32768,
  headers: 100,
  body: Number.POSITIVE_INFINITY,
  headTimeout: 10_000,
  bodyTimeout: 30_000,
  sendTimeout: 30_000,
  minRate: 0,
  idleTimeout: 75_000,
  connectionsPerClient: Number.POSITIVE_INFINITY,
};
