import { JsonError, parseJson, type Value } from '../../expression/index.ts';
import { type RowSchemas, readSchema } from './schema.ts';

/** What a message holds once its wrappers are off. */
export interface Envelope {
  /** The event itself: `op`, `before`, `after`, `source`, or what heartbeats and the like have in their place. */
  readonly body: Members;
  /** The columns' types; null where the event came without its schema. */
  readonly schemas: RowSchemas | null;
}

export type Members = ReadonlyMap<Value, Value>;

/** Each topic has one schema, and a topic's schema changes rarely. */
const REMEMBERED = 256;
const CLOUD_EVENT = 'iodebezium';

/**
 * Takes the wrappers off Debezium's events: Kafka Connect's `{"schema":…,"payload":…}` and CloudEvents.
 * Remembers schemas by their text, which is many times longer than the event and the same in each.
 */
export class EnvelopeReader {
  private readonly schemas = new Map<string, RowSchemas>();

  /** Throws a JsonError, or an Error that says why this is no event. */
  read(text: string): Envelope {
    const known = this.afterKnownSchema(text);
    return known ?? this.unwrapped(members(parse(text)));
  }

  /** One that is parsed already: of a batch. */
  readValue(value: Value): Envelope {
    return this.unwrapped(members(value));
  }

  /** Null where the text is not shaped quite so: then it is read as a whole, which tells what is wrong with it. */
  private afterKnownSchema(text: string): Envelope | null {
    const prefix = schemaPrefix(text);
    const end = text.lastIndexOf('}');
    if (prefix === null || text.slice(end + 1).trim() !== '') return null;
    try {
      const schemas = this.schemas.get(prefix) ?? this.learn(prefix);
      return { body: members(parse(text.slice(prefix.length, end))), schemas };
    } catch (error) {
      if (error instanceof JsonError) return null;
      throw error;
    }
  }

  private learn(prefix: string): RowSchemas {
    const wrapper = parse(`${prefix}null}`);
    const schemas = readSchema(members(wrapper).get('schema'));
    if (this.schemas.size >= REMEMBERED) this.schemas.clear();
    this.schemas.set(prefix, schemas);
    return schemas;
  }

  private unwrapped(event: Members): Envelope {
    if (event.has('specversion') && event.has('type')) return this.ofCloudEvent(event);
    if (!isWrapped(event)) return { body: event, schemas: null };
    return { body: members(event.get('payload')), schemas: readSchema(event.get('schema')) };
  }

  private ofCloudEvent(event: Members): Envelope {
    const data = event.get('data');
    if (!(data instanceof Map)) return { body: withAttributes(new Map(), event), schemas: null };
    const { body, schemas } = this.unwrapped(data);
    return { body: withAttributes(body, event), schemas };
  }
}

function parse(text: string): Value {
  return parseJson(text, { duplicates: 'last' });
}

function members(value: Value | undefined): Members {
  if (value instanceof Map) return value;
  throw new Error(value === null ? 'the event is null' : 'the event is no JSON object');
}

/** Text up to the payload. In a schema's text the word stands only as a value or escaped, never before a colon. */
function schemaPrefix(text: string): string | null {
  if (!text.startsWith('{"schema":{')) return null;
  const word = '"payload":';
  const at = text.indexOf(word);
  return at < 0 ? null : text.slice(0, at + word.length);
}

function isWrapped(event: Members): boolean {
  return event.size === 2 && event.has('schema') && event.has('payload');
}

/** What CloudEvents move out of the event into attributes: the op, and the source, member by member. */
function withAttributes(body: Members, event: Members): Members {
  if (body.has('op') && body.has('source')) return body;
  const source = new Map<Value, Value>();
  for (const [name, value] of event) {
    if (typeof name === 'string' && name.startsWith(CLOUD_EVENT))
      source.set(SOURCE_NAMES[name.slice(CLOUD_EVENT.length)] ?? name.slice(CLOUD_EVENT.length), value);
  }
  const op = source.get('op');
  if (op === undefined) return body;
  return new Map<Value, Value>([...body, ['op', op], ['source', source]]);
}

/** Attributes are lower case throughout. */
const SOURCE_NAMES: Readonly<Record<string, string>> = { tsms: 'ts_ms', txid: 'txId' };
