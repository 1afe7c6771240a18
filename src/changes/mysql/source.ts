import type { Source, SourceParts } from '../contract.ts';
import { Pauses } from '../pauses.ts';
import { parseBinlogPosition } from '../positions/binlog.ts';
import { adviceFor } from './advice.ts';
import { Cascades } from './cascades.ts';
import { slipOf } from './inspect.ts';
import { ControlConnection, type MysqlServer, type ServerFacts, Silent } from './server.ts';
import { Session, type Start, Unreadable } from './session.ts';
import { Visibility } from './visibility.ts';

export interface MysqlSourceConfig {
  readonly server: MysqlServer;
  /** Of this reader among all that replicate from the server. */
  readonly serverId: number;
}

/** The position is not what the server has: purged, or of a history that isn't its own. */
const NO_SUCH_PLACE = new Set([1236, 1945, 1955]);
/** Milliseconds without any sign of the server, which says something each second. */
const SILENCE = 5000;
const PING_EVERY = 1000;
/** Between two looks at tables that aren't there; ms. */
const ASK_AGAIN = 2000;
/** Milliseconds between two writes of the position. */
const REMEMBER_EVERY = 200;

/** The binary log of MySQL or MariaDB, in row format. */
export function createMysqlSource(config: MysqlSourceConfig, parts: SourceParts): Source {
  return new MysqlSource(config, parts);
}

class MysqlSource implements Source {
  private readonly config: MysqlSourceConfig;
  private readonly parts: SourceParts;
  private readonly pauses: Pauses;
  private readonly memoryKey: string;
  private running: Promise<void> = Promise.resolve();
  private control: ControlConnection | null = null;
  private session: Session | null = null;
  private opened = false;
  private heardAt = 0;
  /** The newest that is applied; written to memory now and then. */
  private applied: string | null = null;
  private written: string | null = null;
  private writing: Promise<void> | null = null;
  /** Sessions since the last one that came further. */
  private fruitless = 0;

  constructor(config: MysqlSourceConfig, parts: SourceParts) {
    this.config = config;
    this.parts = parts;
    this.pauses = new Pauses(parts.clock);
    this.memoryKey = `mysql:${parts.name}:position`;
  }

  start(): void {
    this.parts.sink.state('connecting');
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.pauses.stop();
    this.session?.stop();
    await this.running;
    await this.writing;
  }

  private async run(): Promise<void> {
    while (!this.pauses.stopped) {
      try {
        this.control = await ControlConnection.open(this.config.server, this.parts.clock);
        if (await this.seated(this.control)) await this.follow(this.control);
      } catch (error) {
        // What can't be told of it now is found again at the same place.
        if (!this.pauses.stopped) await this.broken(error as Error & { errno?: number }).catch(() => {});
      } finally {
        this.session?.stop();
        this.session = null;
        this.control?.close();
        this.control = null;
      }
      await this.pauses.wait(this.fruitless > 3 ? 1000 : 200);
    }
  }

  private async seated(control: ControlConnection): Promise<boolean> {
    const { sink, shared } = this.parts;
    const { serverId } = this.config;
    while (!this.pauses.stopped) {
      if (await control.takeSeat(serverId)) return true;
      if (shared)
        sink.state('connecting', `another reader has serverId ${serverId}; this one takes over when it ends`);
      else {
        const why = `another gateway reads with serverId ${serverId}; without cache.redis each needs its own`;
        this.opened = false;
        await sink.close(why);
        sink.state('connecting', why);
      }
      await this.pauses.wait(500);
    }
    return false;
  }

  private async follow(control: ControlConnection): Promise<void> {
    const { sink, memory, clock } = this.parts;
    const facts = await control.facts();
    const slip = await slipOf(control, sink.mapping);
    if (slip !== null) return await this.cannot(slip);
    const known = this.applied ?? ((await memory.read(this.memoryKey)) || null);
    // From the first look on, so that a connection which breaks before anything came leaves nothing out.
    const remembered = known ?? (facts.gtid ? await control.position(facts) : null);
    this.applied ??= remembered;
    const visibility = new Visibility(control, facts, clock, this.pauses);
    this.heardAt = clock.now();
    const start = startAt(remembered);
    const followed = new Set(sink.mapping.tables.keys());
    const session = new Session({
      ...this.config,
      gtid: facts.gtid,
      start,
      sink,
      cascades: new Cascades(await control.foreignKeys(followed), followed),
      visible: ({ gtid }, end) => visibility.of(end, gtid),
      following: () => this.following(facts, known === null),
      applied: (position) => this.remember(position),
      heard: () => {
        this.heardAt = clock.now();
      },
    });
    this.session = session;
    await Promise.race([session.ended, this.watch(control)]);
  }

  /** Until the config or the database is another: changes would pass unseen, or mean nothing. */
  private async cannot(why: string): Promise<void> {
    this.opened = false;
    this.parts.sink.state('lost', why);
    await this.parts.sink.close(why);
    await this.pauses.wait(ASK_AGAIN);
  }

  /** Holds the seat, and notices a server that fell silent. */
  private async watch(control: ControlConnection): Promise<void> {
    while (!this.pauses.stopped) {
      await this.pauses.wait(PING_EVERY);
      if (this.pauses.stopped) return;
      await control.ping();
      if (this.parts.clock.now() - this.heardAt > SILENCE) throw new Silent(`nothing came for ${SILENCE} ms`);
    }
  }

  /** @param anew From where the log ends now: what came before isn't known. */
  private following(facts: ServerFacts, anew: boolean): void {
    const { sink } = this.parts;
    const stream = () => this.pauses.stopped || sink.state('streaming', facts.complaint);
    if (this.opened && !anew) return void stream();
    this.opened = true;
    sink.open({ anew }).then(stream, () => {});
  }

  private async broken(error: Error & { errno?: number }): Promise<void> {
    this.fruitless++;
    this.parts.sink.state('connecting', adviceFor(error));
    const gone = NO_SUCH_PLACE.has(error.errno ?? 0);
    if (gone)
      await this.startAnew(
        `the server no longer has what comes after ${this.applied ?? 'the position'}: ${error.message}`,
      );
    // Poison would stop the stream for ever.
    else if (error instanceof Unreadable || this.isStuck(error))
      await this.startAnew(`a part of the log was passed over: ${error.message}`);
  }

  /** The same place failed again and again, and not for want of a connection. */
  private isStuck(error: Error & { code?: unknown; errno?: number }): boolean {
    if (error instanceof Silent || error.code !== undefined || error.errno !== undefined) return false;
    return this.session !== null && this.fruitless >= 3;
  }

  private async startAnew(why: string): Promise<void> {
    this.applied = null;
    this.fruitless = 0;
    await this.writing;
    await this.parts.memory.write(this.memoryKey, '');
    this.written = '';
    this.parts.sink.state('lost', why);
    await this.parts.sink.lost(why);
    // Fenced once more when the log is followed: between now and then nobody listens.
    this.opened = false;
  }

  private remember(position: string): void {
    this.applied = position;
    this.fruitless = 0;
    this.writing ??= this.write();
  }

  private async write(): Promise<void> {
    while (this.applied !== null && this.applied !== this.written) {
      const position = this.applied;
      try {
        await this.parts.memory.write(this.memoryKey, position);
        this.written = position;
      } catch {
        // The next try may succeed; what is repeated after a restart does no harm.
        if (this.pauses.stopped) break;
      }
      await this.pauses.wait(REMEMBER_EVERY);
    }
    this.writing = null;
  }
}

function startAt(position: string | null): Start {
  if (position === null || position === '') return null;
  const parsed = parseBinlogPosition(position);
  if (parsed === null) return null;
  if (parsed.kind !== 'file') return { gtid: position };
  const colon = position.lastIndexOf(':');
  return { file: position.slice(0, colon), offset: Number(position.slice(colon + 1)) };
}
