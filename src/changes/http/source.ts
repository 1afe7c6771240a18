import { createHash, timingSafeEqual } from 'node:crypto';
import { JsonError, parseJson, type Value } from '../../expression/index.ts';
import type { Secret } from '../../util/secret.ts';
import type { PushReply, PushRequest, Source, SourceParts } from '../contract.ts';
import { DebeziumFeed } from '../debezium/index.ts';

export interface HttpSourceConfig {
  readonly token: Secret;
  /** Bytes of a request; more is refused. */
  readonly maxBody: number;
  /** Columns of the primary key by table, as the events come without it. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
}

/** What a key is most often called. */
const USUAL_KEY = ['id'];

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Debezium's events as its server posts them: one in a request, or a list of them, as `application/json` or as
 * CloudEvents. 200 once they are applied; also for what can't be read, once all that it may have touched is
 * fenced: Debezium would send it five times more and then stop.
 */
export function createHttpSource(config: HttpSourceConfig, parts: SourceParts): Source {
  return new HttpSource(config, parts);
}

class HttpSource implements Source {
  private readonly config: HttpSourceConfig;
  private readonly parts: SourceParts;
  private readonly feed: DebeziumFeed;
  /** Requests are applied one after the other, in the order they came. */
  private tail: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(config: HttpSourceConfig, parts: SourceParts) {
    this.config = config;
    this.parts = parts;
    this.feed = new DebeziumFeed(parts.sink, { keys: config.keys, defaultKey: USUAL_KEY });
  }

  start(): void {
    const { sink } = this.parts;
    // Whoever posts sends again what was not answered, so nothing is missed while the gateway is down.
    sink.open().then(
      () => this.stopped || sink.state('streaming'),
      () => {},
    );
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.tail;
  }

  async push({ headers, body }: PushRequest): Promise<PushReply> {
    if (!this.allows(headers.authorization))
      return refused(401, "the source's token is missing or wrong: send authorization: Bearer TOKEN");
    if (body.length > this.config.maxBody)
      return refused(413, `the events are larger than ${this.config.maxBody} bytes`);
    if (this.stopped) return refused(503, 'the source is stopped');
    const done = this.tail.then(() => this.take(body));
    this.tail = done.then(
      () => {},
      () => {},
    );
    try {
      await done;
      return { status: 200, detail: null };
    } catch {
      return refused(503, 'the source is stopped');
    }
  }

  private async take(body: Buffer): Promise<void> {
    const events = eventsOf(body);
    if (Array.isArray(events)) await this.feed.applyValues(events, { position: 'database' });
    else await this.feed.apply([{ value: textOf(body), key: null, topic: null }], { position: 'database' });
  }

  private allows(authorization: string | undefined): boolean {
    const [, given] = /^bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
    return given !== undefined && timingSafeEqual(digest(given), digest(this.config.token.reveal()));
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function refused(status: Exclude<PushReply['status'], 200>, detail: string): PushReply {
  return { status, detail };
}

/** The events of a list; anything else is read as one event, which tells what is wrong with it. */
function eventsOf(body: Buffer): readonly Value[] | null {
  if (!/^\s*\[/.test(body.toString('latin1', 0, 64))) return null;
  try {
    const value = parseJson(body, { duplicates: 'last' });
    return Array.isArray(value) ? value : null;
  } catch (error) {
    if (error instanceof JsonError) return null;
    throw error;
  }
}

/** Bytes that are no UTF-8 are no event: they are kept from being read as one with other letters in it. */
function textOf(body: Buffer): string {
  try {
    return UTF8.decode(body);
  } catch {
    return '\u0000';
  }
}
