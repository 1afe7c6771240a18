/**
 * Leaves of members that stand twice in one object the last alone, in text that is known to be JSON. Everything
 * else stays byte for byte: numbers keep their digits, texts their escapes.
 */
export function withoutTwins(json: Buffer): Buffer {
  return Buffer.from(new Copy(json.toString()).value());
}

class Copy {
  private readonly source: string;
  private at = 0;

  constructor(source: string) {
    this.source = source;
  }

  /** The next value with the space around it. Nests no deeper than was found when it was inspected. */
  value(): string {
    const before = this.space();
    const first = this.source[this.at];
    if (first === '{') return before + this.object() + this.space();
    if (first === '[') return before + this.array() + this.space();
    return before + this.scalar() + this.space();
  }

  private object(): string {
    this.at++;
    // A Map keeps the place of the first: the last one's counts, as where the last alone had been sent.
    const members = new Map<string, string>();
    const empty = this.space();
    if (this.source[this.at] === '}') {
      this.at++;
      return `{${empty}}`;
    }
    let before = empty;
    do {
      before += this.space();
      const name = this.scalar();
      const colon = this.space() + this.source[this.at++];
      const member = `${before}${name}${colon}${this.value()}`;
      const decoded = JSON.parse(name) as string;
      members.delete(decoded);
      members.set(decoded, member);
      before = '';
    } while (this.source[this.at++] === ',');
    return `{${[...members.values()].join(',')}}`;
  }

  private array(): string {
    this.at++;
    const items: string[] = [];
    const empty = this.space();
    if (this.source[this.at] === ']') {
      this.at++;
      return `[${empty}]`;
    }
    do items.push(this.value());
    while (this.source[this.at++] === ',');
    return `[${empty}${items.join(',')}]`;
  }

  private scalar(): string {
    SCALAR.lastIndex = this.at;
    const found = SCALAR.exec(this.source)![0];
    this.at += found.length;
    return found;
  }

  private space(): string {
    SPACE.lastIndex = this.at;
    const found = SPACE.exec(this.source)![0];
    this.at += found.length;
    return found;
  }
}

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /"[^"\\]*(?:\\.[^"\\]*)*"|[^\s,\]}]+/y;
