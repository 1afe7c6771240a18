import { leaf, object } from './kit.ts';
import { redis } from './redis.ts';
import { durationOrOff, size } from './values.ts';

/** It begins every key in Redis. */
const prefix = leaf<string>(
  'a text such as tidegate',
  ['text'],
  (value) => {
    if (/^[A-Za-z0-9._:-]{1,64}$/.test(String(value))) return null;
    return {
      message: value === '' ? 'this text is empty' : `"${value}" cannot begin the keys in Redis`,
      advice: 'write up to 64 letters, digits, and . _ : -',
    };
  },
  { type: 'string', pattern: '^[A-Za-z0-9._:-]{1,64}$' },
);

/** What the caches of all routes share. */
export const cache = object('Cache', 'cache', {
  memory: size.optional().describe('First level, in each worker. Default 64MiB.'),
  redis: redis
    .optional()
    .describe('Second level, shared by all nodes: redis://HOST:PORT, or { url, cluster, sentinels }.'),
  prefix: prefix
    .optional()
    .describe(
      'Names keys, log and epoch in Redis: gateways share them only where it is equal. Default tidegate.',
    ),
  maxUnsynced: durationOrOff
    .optional()
    .describe(
      'How long a node that is cut off from the invalidations still answers tagged entries from memory; off: without end. Default 1s.',
    ),
});
