import { noteSpelling } from './spelling.ts';
import type { Value } from './value.ts';

/** Deeper JSON is refused: nothing sensible nests so, and reading it costs a level of the stack each. */
const MAX_DEPTH = 256;
/** Reading and printing an integer costs more than its length. */
const MAX_DIGITS = 1000;

export class JsonError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(`${message} at offset ${offset}`);
    this.name = 'JsonError';
    this.offset = offset;
  }
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /(-?(?:0|[1-9]\d*))(\.\d+)?([eE][+-]?\d+)?/y;
/** The whole of a text without escapes, which most are. */
const PLAIN_TEXT = /"([^"\\\u0000-\u001f]*)"/y;
const ESCAPED_TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

/** One reading of one text. */
export class JsonReader {
  private readonly source: string;
  private readonly rejectDuplicates: boolean;
  private readonly takesHuge: boolean;
  private readonly keepsSpelling: boolean;
  private at = 0;
  private depth = 0;
  /** The number that was read last, where it would be written otherwise than it was spelt. */
  private spelt: string | null = null;

  constructor(source: string, rejectDuplicates: boolean, takesHuge: boolean, keepsSpelling: boolean) {
    this.source = source;
    this.rejectDuplicates = rejectDuplicates;
    this.takesHuge = takesHuge;
    this.keepsSpelling = keepsSpelling;
  }

  static notUtf8(): never {
    throw new JsonError('the bytes are not valid UTF-8', 0);
  }

  whole(): Value {
    const value = this.value();
    this.space();
    if (this.at < this.source.length) throw this.error('unexpected text after the value');
    return value;
  }

  private value(): Value {
    this.space();
    switch (this.source[this.at]) {
      case '{':
        return this.object();
      case '[':
        return this.array();
      case '"':
        return this.text();
      case 't':
        return this.word('true', true);
      case 'f':
        return this.word('false', false);
      case 'n':
        return this.word('null', null);
      case undefined:
        throw this.error('the text ends where a value should stand');
      default:
        return this.number();
    }
  }

  private object(): Value {
    this.enter();
    const members = new Map<Value, Value>();
    if (!this.ends('}')) {
      do {
        this.space();
        const at = this.at;
        if (this.source[at] !== '"') throw this.error('the name of a member is missing');
        const name = this.text();
        if (this.rejectDuplicates && members.has(name))
          throw new JsonError(`the member ${JSON.stringify(name)} stands twice`, at);
        this.space();
        if (this.source[this.at++] !== ':') throw this.error('":" is missing', this.at - 1);
        // The last one counts, also for its place.
        const again = members.delete(name);
        members.set(name, this.value());
        if (again || this.spelt !== null) this.note(members, name);
      } while (this.goesOn('}'));
    }
    this.depth--;
    return members;
  }

  private array(): Value {
    this.enter();
    const items: Value[] = [];
    if (!this.ends(']')) {
      do {
        items.push(this.value());
        if (this.spelt !== null) this.note(items, items.length - 1);
      } while (this.goesOn(']'));
    }
    this.depth--;
    return items;
  }

  private note(holder: object, at: Value): void {
    noteSpelling(holder, at, this.spelt);
    this.spelt = null;
  }

  private enter(): void {
    if (++this.depth > MAX_DEPTH) throw this.error(`nested more than ${MAX_DEPTH} levels deep`);
    this.at++;
  }

  private ends(closing: string): boolean {
    this.space();
    if (this.source[this.at] !== closing) return false;
    this.at++;
    return true;
  }

  private goesOn(closing: string): boolean {
    this.space();
    const next = this.source[this.at];
    if (next !== ',' && next !== closing) throw this.error(`"," or "${closing}" is missing`);
    this.at++;
    return next === ',';
  }

  private text(): string {
    const plain = this.match(PLAIN_TEXT);
    if (plain !== null) return plain[1]!;
    const escaped = this.match(ESCAPED_TEXT);
    if (escaped === null) throw this.error('a text with a bad escape, a control character or no end');
    return JSON.parse(escaped[0]) as string;
  }

  private number(): Value {
    const at = this.at;
    const match = this.match(NUMBER);
    if (match === null) throw this.error('no value begins here');
    const [whole, integer, fraction, exponent] = match;
    if (fraction !== undefined || exponent !== undefined) return this.double(Number(whole), whole, at);
    if (integer!.length > MAX_DIGITS) throw new JsonError(`an integer of more than ${MAX_DIGITS} digits`, at);
    return BigInt(integer!);
  }

  private double(value: number, written: string, at: number): number {
    if (!Number.isFinite(value) && !this.takesHuge)
      throw new JsonError('a number that is larger than any double', at);
    if (this.keepsSpelling && String(value) !== written) this.spelt = written;
    return value;
  }

  private word<V>(word: string, value: V): V {
    if (!this.source.startsWith(word, this.at)) throw this.error('no value begins here');
    this.at += word.length;
    return value;
  }

  private space(): void {
    const code = this.source.charCodeAt(this.at);
    if (code <= 32) this.match(SPACE);
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.source);
    if (match !== null) this.at = pattern.lastIndex;
    return match;
  }

  private error(message: string, at = this.at): JsonError {
    return new JsonError(message, at);
  }
}
