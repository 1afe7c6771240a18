import { hash } from 'node:crypto';
import type { RedisLibrary, RedisLink } from '../../redis/index.ts';
import { REMEMBERED } from './note.ts';

/** Each node has a field of its own: what one says never takes the place of what another has said. */
const CODE = `
redis.register_function('NAME_note', function(keys, args)
  redis.call('HSET', keys[1], args[1], args[2])
  return redis.call('PEXPIRE', keys[1], args[3])
end)
`;

/** Under a name that changes with its code. */
const NAME = `tidegate_writes_${hash('sha256', CODE, 'hex').slice(0, 12)}`;
const LIBRARY: RedisLibrary = {
  name: NAME,
  code: `#!lua name=${NAME}\n${CODE.replaceAll('NAME_', `${NAME}_`)}`,
};

/** What clients have written, as nodes tell each other in Redis. */
export class SharedWrites {
  private readonly link: RedisLink;
  private readonly prefix: string;

  /** @param prefix Of its keys. Closes the link that it is given. */
  constructor(link: RedisLink, prefix: string) {
    this.link = link;
    this.prefix = prefix;
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

  /** Milliseconds since Redis went away, by the wall clock; null: it is there. */
  awayFor(now: number): number | null {
    const { connected, since } = this.link.state();
    return connected ? null : now - since;
  }

  close(): Promise<void> {
    return this.link.close();
  }

  private nameOf(key: string): string {
    return `${this.prefix}:writes:${key}`;
  }
}
