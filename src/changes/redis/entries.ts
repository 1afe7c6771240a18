import type { Reply } from '../../redis/index.ts';
import type { Message } from '../debezium/index.ts';

export interface StreamEntry {
  readonly stream: string;
  readonly id: string;
  /** Null: it was trimmed before it was acknowledged. */
  readonly message: Message | null;
}

/** The reply of XREADGROUP; nothing came where it is null. */
export function entriesOfRead(reply: Reply): StreamEntry[] {
  return list(reply).flatMap((pair) => {
    const [stream, entries] = list(pair);
    return entriesOf(String(stream), entries ?? null);
  });
}

export function entriesOf(stream: string, reply: Reply): StreamEntry[] {
  return list(reply).map((entry) => {
    const [id, fields] = list(entry);
    return { stream, id: String(id), message: fields == null ? null : messageOf(stream, list(fields)) };
  });
}

export function list(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? reply : [];
}

/**
 * `compact`, Debezium's default: one field, which is named by the key. `extended`: fields `key` and `value`, and
 * headers in upper case. Anything else has no value, and so is poison.
 */
function messageOf(topic: string, fields: readonly Reply[]): Message {
  const texts = fields.map((field) => String(field));
  if (texts.length === 2 && texts[0] !== 'value') return { topic, key: texts[0]!, value: texts[1]! };
  const field = (name: string): string | null => {
    const at = texts.findIndex((text, index) => index % 2 === 0 && text === name);
    return at < 0 ? null : texts[at + 1]!;
  };
  return { topic, key: field('key'), value: field('value') ?? '' };
}
