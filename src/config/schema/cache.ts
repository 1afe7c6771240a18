import { leaf, object, type Rule } from './kit.ts';
import { redis } from './redis.ts';
import { durationOrOff, sizeOrZero } from './values.ts';

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

/** What is kept is kept in memory or in Redis. */
const somewhere: Rule = ({ memory, redis: shared }, report) => {
  const isNone = memory === 0 || (typeof memory === 'string' && /^0+(\.0+)?([KMGT]i)?B?$/.test(memory));
  if (!isNone || (shared !== undefined && shared !== 'none')) return;
  report({
    code: 'TG_CONFIG_CONFLICT',
    path: ['memory'],
    message: 'without memory and without Redis nothing could be kept',
    advice: 'say redis: redis://HOST:PORT, give it some memory, or take "cache" off the routes',
  });
};

/** What the caches of all routes share. */
export const cache = object(
  'Cache',
  'cache',
  {
    memory: sizeOrZero
      .optional()
      .describe('First level, in each worker; 0: entries are kept in Redis alone. Default 64MiB.'),
    redis: redis
      .optional()
      .describe(
        'Second level, shared by all nodes: redis://HOST:PORT, or { url, cluster, sentinels }. Default none.',
      ),
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
  },
  [somewhere],
);
