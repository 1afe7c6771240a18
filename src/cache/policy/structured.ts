/** What a member of a structured field may be here; parameters are read over. */
export type BareItem =
  | { readonly type: 'integer' | 'decimal'; readonly value: number }
  | { readonly type: 'string' | 'token' | 'other'; readonly value: string }
  | { readonly type: 'boolean'; readonly value: boolean };

/** Parses a dictionary of items (RFC 9651 §4.2.2), or null where the field is no such thing. Inner lists count as `other`. */
export function parseDictionary(text: string): Map<string, BareItem> | null {
  const input = new Input(text);
  const members = new Map<string, BareItem>();
  const parsed = input.list(() => {
    const key = input.take(KEY);
    if (key === null) return false;
    const value: BareItem | null = input.skip('=') ? input.member() : { type: 'boolean', value: true };
    if (value === null || !input.parameters()) return false;
    // The last of several members with one key counts (RFC 9651 §4.2.2), in the place of the first.
    members.set(key, value);
    return true;
  });
  return parsed ? members : null;
}

/** Parses a list of strings (RFC 9651 §4.2.1); null where the field is malformed or a member isn't a string. */
export function parseStringList(text: string): string[] | null {
  const input = new Input(text);
  const strings: string[] = [];
  const parsed = input.list(() => {
    const item = input.member();
    if (item === null || item.type !== 'string' || !input.parameters()) return false;
    strings.push(item.value);
    return true;
  });
  return parsed ? strings : null;
}

const KEY = /[a-z*][a-z0-9_\-.*]*/y;
const NUMBER = /-?(?:\d{1,12}\.\d{1,3}|\d{1,15})(?![\d.])/y;
const STRING = /"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y;
const TOKEN = /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y;
const BOOLEAN = /\?[01]/y;
const OTHER = /:[A-Za-z0-9+/=]*:|@-?\d{1,15}(?![\d.])|%"(?:[\x20-\x21\x23\x24\x26-\x7e]|%[0-9a-f]{2})*"/y;

class Input {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text.trim();
  }

  take(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match === null) return null;
    this.at = pattern.lastIndex;
    return match[0];
  }

  skip(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  /** Members parted by commas; false where one is malformed or a comma ends the list. */
  list(member: () => boolean): boolean {
    if (this.text === '') return true;
    while (member()) {
      this.take(OWS);
      if (this.at === this.text.length) return true;
      if (!this.skip(',')) return false;
      this.take(OWS);
    }
    return false;
  }

  member(): BareItem | null {
    return this.text[this.at] === '(' ? this.innerList() : this.item();
  }

  parameters(): boolean {
    while (this.skip(';')) {
      this.take(SPACES);
      if (this.take(KEY) === null) return false;
      if (this.skip('=') && this.item() === null) return false;
    }
    return true;
  }

  private innerList(): BareItem | null {
    const start = this.at++;
    for (;;) {
      const before = this.at;
      this.take(SPACES);
      if (this.skip(')')) return { type: 'other', value: this.text.slice(start, this.at) };
      // Members stand apart by spaces.
      if (this.at === before && before !== start + 1) return null;
      if (this.item() === null || !this.parameters()) return null;
    }
  }

  private item(): BareItem | null {
    const number = this.take(NUMBER);
    if (number !== null) return { type: number.includes('.') ? 'decimal' : 'integer', value: Number(number) };
    const quoted = this.take(STRING);
    if (quoted !== null) return { type: 'string', value: quoted.slice(1, -1).replaceAll(/\\(.)/g, '$1') };
    const boolean = this.take(BOOLEAN);
    if (boolean !== null) return { type: 'boolean', value: boolean === '?1' };
    const token = this.take(TOKEN);
    if (token !== null) return { type: 'token', value: token };
    const other = this.take(OTHER);
    return other === null ? null : { type: 'other', value: other };
  }
}

const OWS = /[ \t]*/y;
const SPACES = / */y;
