export { formatAddress, isLoopback, parseAddress, type SocketAddress } from './address.ts';
export { config as configSchema } from './config.ts';
export { jsonSchema } from './json-schema.ts';
export { kindOf, wordOf } from './kit.ts';
export { hintFor } from './places.ts';
export { ASYMMETRIC } from './provider-jwt.ts';
export type * from './types.ts';
export { pathKey, validate } from './validate.ts';
export { NAME } from './values.ts';
