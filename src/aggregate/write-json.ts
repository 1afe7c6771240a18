import {
  asSpelt,
  EvaluationFailure,
  type Fields,
  hasMembers,
  toJson,
  type Value,
  Verbatim,
} from '../expression/index.ts';

/** Shorter texts are joined, so that an answer is few pieces. */
const JOIN = 1024;

/**
 * A value as the pieces of its JSON: what is taken over as it came stays the bytes it was.
 *
 * @throws EvaluationFailure for a value that JSON has no word for
 */
export function writeJson(value: Value): (string | Buffer)[] {
  const writer = new Writer();
  writer.write(value);
  return writer.end();
}

class Writer {
  private readonly pieces: (string | Buffer)[] = [];
  private text = '';

  write(value: Value): void {
    if (value instanceof Verbatim) return this.bytes(value.json);
    if (Array.isArray(value)) return this.list(value);
    if (hasMembers(value)) return this.members(value);
    this.text += toJson(value);
  }

  end(): (string | Buffer)[] {
    if (this.text !== '') this.pieces.push(this.text);
    return this.pieces;
  }

  private list(items: readonly Value[]): void {
    this.text += '[';
    items.forEach((item, index) => {
      if (index > 0) this.text += ',';
      this.write(asSpelt(items, index, item));
    });
    this.text += ']';
  }

  private members(holder: ReadonlyMap<Value, Value> | Fields): void {
    this.text += '{';
    let first = true;
    for (const [key, member] of holder.entries()) {
      this.text += `${first ? '' : ','}${nameOf(key)}:`;
      first = false;
      this.write(asSpelt(holder, key, member));
    }
    this.text += '}';
  }

  private bytes(json: Uint8Array): void {
    const buffer = Buffer.isBuffer(json) ? json : Buffer.from(json);
    if (buffer.length < JOIN) {
      this.text += buffer.toString();
      return;
    }
    if (this.text !== '') this.pieces.push(this.text);
    this.text = '';
    this.pieces.push(buffer);
  }
}

function nameOf(key: Value): string {
  if (typeof key === 'string') return toJson(key);
  if (typeof key === 'bigint' || typeof key === 'boolean') return `"${key}"`;
  throw new EvaluationFailure('type', 'the name of a member is no text');
}
