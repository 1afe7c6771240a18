import type { RedisLink } from '../../redis/index.ts';
import type { Clock } from '../../util/clock.ts';
import type { Seal } from './seal.ts';

/** A start waits no longer for the connection; ms. */
const PATIENCE = 1_000;
const CONTEXT = 'secret';

/**
 * The secret that stands under `key`, or `own` from now on where there is none. Null where it can't be had: Redis is
 * away, or it was closed with another key.
 */
export async function standingSecret(
  link: RedisLink,
  key: string,
  seal: Seal,
  own: string,
  clock: Clock,
): Promise<string | null> {
  try {
    await connected(link, clock);
    await link.send('SET', key, seal.close(Buffer.from(own), CONTEXT), 'NX');
    const stands = await link.send('GET', key);
    return Buffer.isBuffer(stands) ? (seal.open(stands, CONTEXT)?.toString() ?? null) : null;
  } catch {
    return null;
  }
}

function connected(link: RedisLink, clock: Clock): Promise<void> {
  if (link.connected) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      stop();
      clock.cancel(timer);
      resolve();
    };
    const stop = link.onChange(done);
    const timer = clock.after(PATIENCE, done);
  });
}
