import { type RedisLink, redisLibrary } from '../../redis/index.ts';
import type { Clock } from '../../util/clock.ts';
import { REMEMBERED } from './note.ts';

/** Each node has a field of its own: what one says never takes the place of what another has said. */
const CODE = `
redis.register_function('NAME_note', function(keys, args)
  redis.call('HSET', keys[1], args[1], args[2])
  return redis.call('PEXPIRE', keys[1], args[3])
end)
`;

const LIBRARY = redisLibrary('tidegate_writes', CODE);

/** What clients have written, as nodes tell each other in Redis. */
export class SharedWrites {
  private readonly link: RedisLink;
  private readonly prefix: string;
  private readonly clock: Clock;
  private changedAt: number;

  /** @param prefix Of its keys. Closes the link that it is given. */
  constructor(link: RedisLink, prefix: string, clock: Clock) {
    this.link = link;
    this.prefix = prefix;
    this.clock = clock;
    this.changedAt = clock.now();
    link.onChange(() => {
      this.changedAt = clock.now();
    });
  }

  get connected(): boolean {
    return this.link.connected;
  }

  /** Milliseconds since it came or went. */
  get steadyFor(): number {
    return this.clock.now() - this.changedAt;
  }

  /** Rejects where Redis can't be told. */
  async note(by: string, keys: readonly string[], position: string | null): Promise<void> {
    await Promise.all(
      keys.map((key) =>
        this.link.call(LIBRARY, 'note', [this.nameOf(key)], [by, position ?? '', REMEMBERED]),
      ),
    );
  }

  /** What all nodes say of a client; null: not known yet. Rejects where Redis can't be asked. */
  async recall(key: string): Promise<(string | null)[]> {
    const reply = await this.link.send('hvals', this.nameOf(key));
    return Array.isArray(reply) ? reply.map((position) => String(position) || null) : [];
  }

  close(): Promise<void> {
    return this.link.close();
  }

  private nameOf(key: string): string {
    return `${this.prefix}:writes:${key}`;
  }
}
