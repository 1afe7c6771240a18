import { connectRedis, RedisAway, type RedisLink } from '../../redis/index.ts';
import { silentLogger } from '../../telemetry/index.ts';
import { systemClock } from '../../util/clock.ts';
import { systemRandom } from '../../util/random.ts';
import type { SourceFinding } from '../finding.ts';
import type { RedisSourceConfig } from './source.ts';

const PATIENCE = 3000;

/** Asks the Redis of a source whether its streams can be read. Never rejects. */
export async function inspectRedis({ redis, streams, group }: RedisSourceConfig): Promise<SourceFinding> {
  const parts = { clock: systemClock, random: systemRandom, log: silentLogger };
  const link = connectRedis({ ...redis, commandTimeout: PATIENCE }, parts);
  try {
    await connected(link);
    const version = /^redis_version:(\S+)/m.exec(String(await link.send('info', 'server')))?.[1] ?? '';
    if (isOlder(version, 6, 2))
      return { error: `Redis is ${version}; consumer groups are taken over from 6.2 on`, advice: [] };
    const about = await Promise.all(streams.map((stream) => inspectStream(link, stream, group)));
    const error = about.find((one) => one.error !== null)?.error ?? null;
    const advice = error === null ? [...about.flatMap((one) => one.advice), ...(await eviction(link))] : [];
    return { error, advice };
  } catch (error) {
    return { error: explain(error as Error), advice: [] };
  } finally {
    await link.close();
  }
}

function connected(link: RedisLink): Promise<void> {
  if (link.connected) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = systemClock.after(PATIENCE, () =>
      reject(new RedisAway(link.state().reason ?? 'no answer')),
    );
    link.onChange((is) => {
      if (!is) return;
      systemClock.cancel(timer);
      resolve();
    });
  });
}

async function inspectStream(link: RedisLink, stream: string, group: string): Promise<SourceFinding> {
  const type = String(await link.send('type', stream));
  if (type === 'none')
    return {
      error: null,
      advice: [`there is no stream ${stream} yet: Debezium makes it with the first event of its table`],
    };
  if (type !== 'stream')
    return { error: `${stream} is a ${type}, not a stream: streams are Debezium's topics`, advice: [] };
  await link.send('xinfo', 'groups', stream);
  await link.send('xpending', stream, group).catch((error: Error) => {
    if (!error.message.startsWith('NOGROUP')) throw error;
  });
  return { error: null, advice: [] };
}

/** What may throw streams away, where it may be asked. */
async function eviction(link: RedisLink): Promise<string[]> {
  const reply = await link.send('config', 'get', 'maxmemory-policy').catch(() => null);
  const policy = Array.isArray(reply) ? String(reply[1]) : '';
  if (!policy.startsWith('allkeys')) return [];
  return [
    `maxmemory-policy is ${policy}: Redis may throw away streams, and their groups with them, where memory is short; set noeviction or volatile-lru`,
  ];
}

function isOlder(version: string, major: number, minor: number): boolean {
  const [a = 0, b = 0] = version.split('.').map(Number);
  return a < major || (a === major && b < minor);
}

function explain(error: Error): string {
  if (error.message.startsWith('NOPERM'))
    return `${error.message}; the user needs XREADGROUP, XACK, XAUTOCLAIM, XGROUP, XINFO, INFO, TYPE, XPENDING, and EVAL, GET, SET and DEL on tidegate:reader:*`;
  if (/WRONGPASS|NOAUTH/.test(error.message)) return `Redis refuses the user or password (${error.message})`;
  if (error instanceof RedisAway) return `Redis can not be reached: ${error.message}`;
  return error.message;
}
