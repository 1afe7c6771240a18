import type { RedisLink, Reply } from '../../redis/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Clock } from '../../util/clock.ts';
import { inTime } from '../../util/in-time.ts';
import type { Random } from '../../util/random.ts';
import type { Entry } from '../entry.ts';
import { urlTag } from '../fences/index.ts';
import { currentAge } from '../policy/index.ts';
import type { EntryHead, SharedStore, SharedStoreState } from '../shared-store.ts';
import { Claims } from './claims.ts';
import { decodeHead, encodeHead } from './codec.ts';
import { FUNCTIONS } from './functions.ts';
import { digestOf, type Keyspace, slotName } from './keys.ts';
import { reachedByPrefix, type Variant, variantsOf } from './lookup.ts';
import { sharedNumber } from './numbers.ts';
import { keptUntil, variantId } from './placing.ts';
import type { Seal } from './seal.ts';
import { standingSecret } from './secret.ts';
import { Silence } from './silence.ts';

/** A larger body is kept in pieces, so that Redis never works long on one. */
const INLINE = 64 * 1024;
const CHUNK = 256 * 1024;
/** Pieces asked for at once. */
const WINDOW = 4;
/** Bytes of entries on their way to Redis. */
const MOST_BYTES = 16 * 1024 * 1024;
const MOST_PUTS = 1000;

export interface RedisStoreParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly keys: Keyspace;
  readonly seal: Seal;
  /** Milliseconds that a lookup may last, all its trips together. */
  readonly timeout: number;
  /**
   * The newest number that the caller's own fences know (`Fences.sequence`). An entry from beyond it is passed over:
   * what this node alone has invalidated, while Redis was away, could not be compared with it.
   */
  newest(): number;
}

/** Entries in Redis, with the fences that unseat them. Closes the link that it is given. */
export class RedisStore implements SharedStore {
  private readonly link: RedisLink;
  private readonly parts: RedisStoreParts;
  private readonly claims: Claims;
  /** Null where there is one server: of that the link knows. */
  private readonly silence: Silence | null;
  private bytesOnTheWay = 0;
  private putsOnTheWay = 0;
  private dropped = 0;
  private full = false;

  constructor(link: RedisLink, parts: RedisStoreParts) {
    this.link = link;
    this.parts = parts;
    this.claims = new Claims(link, parts);
    this.silence = parts.keys.groups.length > 1 ? new Silence(parts.clock) : null;
  }

  async get(key: string, choose: (variants: readonly EntryHead[]) => number): Promise<Entry | null> {
    const digest = digestOf(key);
    const group = this.parts.keys.groupOf(digest);
    if (!this.link.connected || this.silence?.holds(group)) return null;
    const began = this.parts.clock.now();
    try {
      const entry = await this.lookUp(digest, choose, began + this.parts.timeout);
      this.silence?.answered(group);
      return entry;
    } catch (error) {
      this.silence?.failed(group, began, error);
      return null;
    }
  }

  async put(key: string, entry: Entry, url: string): Promise<void> {
    const size = entry.body.length;
    const room = this.bytesOnTheWay === 0 || this.bytesOnTheWay + size <= MOST_BYTES;
    if (!this.link.connected || !room || this.putsOnTheWay >= MOST_PUTS) {
      this.dropped++;
      return;
    }
    this.bytesOnTheWay += size;
    this.putsOnTheWay++;
    try {
      await this.write(digestOf(key), entry, url);
      this.stored();
    } catch (error) {
      this.failed(error as Error);
    } finally {
      this.bytesOnTheWay -= size;
      this.putsOnTheWay--;
    }
  }

  delete(key: string): void {
    const digest = digestOf(key);
    const entry = this.parts.keys.groupOf(digest).entries + digest;
    this.link.call(FUNCTIONS, 'remove', [entry], []).catch(() => {
      // It goes when its time comes.
    });
  }

  async claim(key: string, ms: number): Promise<'mine' | 'theirs' | 'away'> {
    const digest = digestOf(key);
    if (this.silence?.holds(this.parts.keys.groupOf(digest))) return 'away';
    return this.claims.claim(digest, ms);
  }

  release(key: string): void {
    this.claims.release(digestOf(key));
  }

  settled(key: string, ms: number): Promise<void> {
    return this.claims.settled(digestOf(key), ms);
  }

  async once(name: string, ms: number): Promise<'first' | 'again' | 'away'> {
    if (!this.link.connected) return 'away';
    const digest = digestOf(name);
    const key = this.parts.keys.groupOf(digest).once + digest;
    try {
      const reply = await this.link.send('set', key, '', 'NX', 'PX', Math.max(1, Math.ceil(ms)));
      return reply === null ? 'again' : 'first';
    } catch {
      return 'away';
    }
  }

  secret(own: string): Promise<string | null> {
    const { keys, seal, clock } = this.parts;
    return standingSecret(this.link, keys.first.secret, seal, own, clock);
  }

  describe(): SharedStoreState {
    const { connected, since, reason } = this.link.state();
    return {
      state: connected ? 'connected' : 'away',
      since,
      reason,
      full: this.full,
      dropped: this.dropped,
    };
  }

  async close(): Promise<void> {
    this.claims.close();
    await this.link.close();
  }

  private async lookUp(
    digest: string,
    choose: (variants: readonly EntryHead[]) => number,
    until: number,
  ): Promise<Entry | null> {
    const group = this.parts.keys.groupOf(digest);
    const key = group.entries + digest;
    const reply = await this.link.call(FUNCTIONS, 'look', [key, group.fences], []);
    if (!Array.isArray(reply)) return null;
    const variants = this.readable(digest, reply);
    const chosen = variants[choose(variants.map(({ head }) => head))];
    if (chosen === undefined) return null;
    const body = await this.bodyOf(key, digest, chosen, reply[1] as Buffer | null, until);
    return body === null ? null : { ...chosen.head, body };
  }

  /** Variants that can be read and that no purge by prefix has reached. */
  private readable(digest: string, reply: Reply[]): Readable[] {
    const readable: Readable[] = [];
    for (const variant of variantsOf(reply)) {
      const bytes = this.parts.seal.open(variant.head, contextOf(digest, variant, 'head'));
      const stored = bytes === null ? null : decodeHead(bytes);
      if (stored === null || stored.head.sequence > this.parts.newest()) continue;
      const purged = reachedByPrefix(reply[0]!, stored);
      if (purged === 'dead') continue;
      const stale = variant.stale || purged === 'stale';
      readable.push({ ...variant, head: stale ? this.staleNow(stored.head) : stored.head });
    }
    return readable;
  }

  /** What a soft purge has reached is stale from now on. */
  private staleNow(head: EntryHead): EntryHead {
    const age = currentAge(head, this.parts.clock.wall());
    return { ...head, lifetime: Math.min(head.lifetime, age) };
  }

  private async bodyOf(
    key: string,
    digest: string,
    variant: Placed,
    inline: Buffer | null,
    until: number,
  ): Promise<Buffer | null> {
    const { seal } = this.parts;
    if (variant.chunks > 0) return await this.chunksOf(key, digest, variant, until);
    const bytes = inline ?? (await this.before(until, this.fetchBody(key, variant)));
    return bytes === null ? null : seal.open(bytes, contextOf(digest, variant, 'body'));
  }

  private async fetchBody(key: string, { id, generation }: Placed): Promise<Buffer | null> {
    return (await this.link.call(FUNCTIONS, 'body', [key], [id, generation])) as Buffer | null;
  }

  private async chunksOf(
    key: string,
    digest: string,
    variant: Placed,
    until: number,
  ): Promise<Buffer | null> {
    const pieces: Buffer[] = [];
    for (let from = 0; from < variant.chunks; from += WINDOW) {
      const names = chunkNames(key, variant).slice(from, from + WINDOW);
      const reply = (await this.before(until, this.link.send('mget', ...names))) as (Buffer | null)[] | null;
      for (const sealed of reply ?? [null]) {
        const context = contextOf(digest, variant, String(pieces.length));
        const piece = sealed === null ? null : this.parts.seal.open(sealed, context);
        if (piece === null) return null;
        pieces.push(piece);
      }
    }
    return Buffer.concat(pieces);
  }

  /** Null where it takes longer. */
  private before<T>(until: number, answer: Promise<T>): Promise<T | null> {
    const { clock } = this.parts;
    return inTime(clock, until - clock.now(), answer, () => null);
  }

  private async write(digest: string, entry: Entry, url: string): Promise<void> {
    const until = keptUntil(entry, this.parts.clock.wall());
    if (until === null) return;
    const { seal, random } = this.parts;
    const group = this.parts.keys.groupOf(digest);
    const key = group.entries + digest;
    const chunks = entry.body.length > INLINE ? Math.ceil(entry.body.length / CHUNK) : 0;
    const variant = { id: variantId(entry), generation: random.hex(6), chunks };
    await this.writeChunks(key, digest, variant, entry.body, until);
    const sequence = sharedNumber(entry.sequence);
    const head = seal.close(encodeHead({ ...entry, sequence }, url), contextOf(digest, variant, 'head'));
    const body = chunks > 0 ? '' : seal.close(entry.body, contextOf(digest, variant, 'body'));
    const slots = [...new Set([...entry.tags, urlTag(url)].map(slotName))];
    const args = [variant.id, variant.generation, sequence, until, chunks, head, body, ...slots];
    const kept = await this.link.call(FUNCTIONS, 'put', [key, group.fences], args);
    if (kept !== 1 && chunks > 0) await this.link.send('unlink', ...chunkNames(key, variant));
  }

  private async writeChunks(
    key: string,
    digest: string,
    variant: Placed,
    body: Buffer,
    until: number,
  ): Promise<void> {
    for (const [i, name] of chunkNames(key, variant).entries()) {
      const piece = body.subarray(i * CHUNK, (i + 1) * CHUNK);
      const sealed = this.parts.seal.close(piece, contextOf(digest, variant, String(i)));
      await this.link.send('set', name, sealed, 'PXAT', until);
    }
  }

  private stored(): void {
    if (this.full) this.parts.log.info('Redis has room again');
    this.full = false;
  }

  private failed(error: Error): void {
    this.dropped++;
    if (!error.message.startsWith('OOM') || this.full) return;
    this.full = true;
    this.parts.log.warn('Redis is full: new entries are not stored in it', { reason: error.message });
  }
}

type Placed = Pick<Variant, 'id' | 'generation' | 'chunks'>;
type Readable = Omit<Variant, 'head'> & { readonly head: EntryHead };

function chunkNames(key: string, { generation, chunks }: Placed): string[] {
  return Array.from({ length: chunks }, (_, i) => `${key}:${generation}:${i}`);
}

/** Sealed bytes can't be moved to another key, variant, entry or place. */
function contextOf(digest: string, { id, generation, chunks }: Placed, part: string): string {
  return `${digest} ${id} ${generation} ${chunks} ${part}`;
}
