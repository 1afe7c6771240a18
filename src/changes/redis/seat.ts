import type { RedisLink } from '../../redis/index.ts';

/** Milliseconds for which a node holds the reader's seat, and how often it asks again. */
const SEAT = 3000;
export const RENEW_EVERY = 1000;

const TAKE = `local holder = redis.call('get', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
return 1`;
const LEAVE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`;

/**
 * One node reads a group at a time. Two at once would do no harm but to what a position proves: each would see only
 * a part of what it covers.
 */
export class ReaderSeat {
  private readonly link: RedisLink;
  private readonly key: string;
  private readonly me: string;

  constructor(link: RedisLink, key: string, me: string) {
    this.link = link;
    this.key = key;
    this.me = me;
  }

  /** Takes it or renews it; false while another node has it. */
  async take(): Promise<boolean> {
    return (await this.link.send('eval', TAKE, 1, this.key, this.me, SEAT)) === 1;
  }

  /** So that the next need not wait for its end. */
  async leave(): Promise<void> {
    await this.link.send('eval', LEAVE, 1, this.key, this.me).catch(() => {});
  }
}
