import { isUtf8 } from 'node:buffer';

/** Deeper JSON is refused, as by the reader of expressions. */
const MAX_DEPTH = 256;
/** So many members of an object are compared one by one; of more, a set is kept. */
const FEW = 24;

const QUOTE = 34;
const BACKSLASH = 92;
const OBJECT = 1;
const ARRAY = 2;

/**
 * Is this JSON (RFC 8259)? One pass over the bytes, which makes nothing of them. `twins`: it is, but members of
 * an object may have the same name: whoever passes it on looks closer.
 */
export function inspectJson(bytes: Uint8Array): 'clean' | 'twins' | 'broken' {
  return isUtf8(bytes) ? new Inspection(bytes).whole() : 'broken';
}

class Inspection {
  private readonly bytes: Uint8Array;
  private at = 0;
  private twins = false;
  /** Hashes of the names of all objects that are open, and where those of each begin. */
  private readonly names: number[] = [];
  private readonly begins: number[] = [];
  private readonly sets: (Set<number> | null)[] = [];
  private readonly kinds: number[] = [];

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  whole(): 'clean' | 'twins' | 'broken' {
    if (!this.values()) return 'broken';
    this.space();
    if (this.at < this.bytes.length) return 'broken';
    return this.twins ? 'twins' : 'clean';
  }

  /** A value with all that is in it; a loop, not a recursion, since its depth is the sender's. */
  private values(): boolean {
    const { kinds } = this;
    for (;;) {
      this.space();
      const opened = this.open();
      if (opened === 'opened') continue;
      if (opened === 'broken') return false;
      // A value has ended: what follows it belongs to what holds it.
      for (;;) {
        if (kinds.length === 0) return true;
        this.space();
        const code = this.bytes[this.at++];
        if (code === 44) {
          if (kinds.at(-1) === OBJECT && !this.name()) return false;
          break;
        }
        if (code !== (kinds.at(-1) === OBJECT ? 125 : 93)) return false;
        this.close();
      }
    }
  }

  /** Begins a value: reads the whole of one that holds no others. */
  private open(): 'opened' | 'ended' | 'broken' {
    const code = this.bytes[this.at];
    switch (code) {
      case 123:
        if (!this.enter(OBJECT)) return 'broken';
        if (this.closes(125)) return 'ended';
        return this.name() ? 'opened' : 'broken';
      case 91:
        if (!this.enter(ARRAY)) return 'broken';
        return this.closes(93) ? 'ended' : 'opened';
      case QUOTE:
        return this.text() ? 'ended' : 'broken';
      case 116:
        return this.word('true');
      case 102:
        return this.word('false');
      case 110:
        return this.word('null');
      default:
        return this.number() ? 'ended' : 'broken';
    }
  }

  private enter(kind: number): boolean {
    if (this.kinds.length >= MAX_DEPTH) return false;
    this.at++;
    this.kinds.push(kind);
    this.begins.push(this.names.length);
    this.sets.push(null);
    return true;
  }

  private closes(code: number): boolean {
    this.space();
    if (this.bytes[this.at] !== code) return false;
    this.at++;
    this.close();
    return true;
  }

  private close(): void {
    this.kinds.pop();
    this.names.length = this.begins.pop()!;
    this.sets.pop();
  }

  /** A member's name and the colon after it. */
  private name(): boolean {
    this.space();
    const from = this.at;
    if (this.bytes[from] !== QUOTE || !this.text()) return false;
    this.remember(from + 1, this.at - 1);
    this.space();
    return this.bytes[this.at++] === 58;
  }

  private remember(from: number, to: number): void {
    let hash = 0x811c9dc5;
    for (let i = from; i < to; i++) {
      const code = this.bytes[i]!;
      // One letter has many spellings with escapes.
      if (code === BACKSLASH) this.twins = true;
      hash = Math.imul(hash ^ code, 0x01000193);
    }
    const { names } = this;
    const begin = this.begins.at(-1)!;
    if (names.length - begin >= FEW) return this.rememberMany(hash, begin);
    for (let i = begin; i < names.length; i++) if (names[i] === hash) this.twins = true;
    names.push(hash);
  }

  private rememberMany(hash: number, begin: number): void {
    const at = this.sets.length - 1;
    const set = this.sets[at] ?? new Set(this.names.slice(begin));
    this.sets[at] = set;
    if (set.has(hash)) this.twins = true;
    set.add(hash);
  }

  private text(): boolean {
    const { bytes } = this;
    for (let i = this.at + 1; i < bytes.length; i++) {
      const code = bytes[i]!;
      if (code === QUOTE) {
        this.at = i + 1;
        return true;
      }
      if (code < 32) return false;
      if (code !== BACKSLASH) continue;
      const escaped = bytes[++i];
      if (escaped === 117) {
        if (!this.hex(i + 1)) return false;
        i += 4;
      } else if (escaped === undefined || !ESCAPES.has(escaped)) return false;
    }
    return false;
  }

  private hex(from: number): boolean {
    for (let i = from; i < from + 4; i++) {
      const code = this.bytes[i] ?? 0;
      const lower = code | 32;
      if (!((code >= 48 && code <= 57) || (lower >= 97 && lower <= 102))) return false;
    }
    return true;
  }

  private word(word: string): 'ended' | 'broken' {
    for (let i = 0; i < word.length; i++) if (this.bytes[this.at + i] !== word.charCodeAt(i)) return 'broken';
    this.at += word.length;
    return 'ended';
  }

  private number(): boolean {
    if (this.bytes[this.at] === 45) this.at++;
    const first = this.bytes[this.at];
    if (first === 48) this.at++;
    else if (!this.digits()) return false;
    if (this.bytes[this.at] === 46) {
      this.at++;
      if (!this.digits()) return false;
    }
    if (((this.bytes[this.at] ?? 0) | 32) === 101) {
      this.at++;
      const sign = this.bytes[this.at];
      if (sign === 43 || sign === 45) this.at++;
      if (!this.digits()) return false;
    }
    return true;
  }

  private digits(): boolean {
    const from = this.at;
    for (;;) {
      const code = this.bytes[this.at];
      if (code === undefined || code < 48 || code > 57) return this.at > from;
      this.at++;
    }
  }

  private space(): void {
    const { bytes } = this;
    for (;;) {
      const code = bytes[this.at];
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.at++;
    }
  }
}

/** `"` `\` `/` b f n r t */
const ESCAPES: ReadonlySet<number> = new Set([34, 92, 47, 98, 102, 110, 114, 116]);
