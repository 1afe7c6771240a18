import type { Value } from '../../expression/index.ts';

/** Deeper than PostgreSQL nests (MAXDIM). */
const MOST_DEPTH = 6;

/** Reads `{1,NULL,"a b"}`, nested or not; null for what is no such text. */
export function readArray(text: string, element: (text: string) => Value): Value[] | null {
  // Bounds other than from 1 stand before it: `[0:1]={…}`.
  const start = text.startsWith('[') ? text.indexOf('={') + 1 : 0;
  const reading = { text, at: start, element };
  const list = readList(reading, 0);
  return list !== null && reading.at === text.length ? list : null;
}

interface Reading {
  readonly text: string;
  readonly element: (text: string) => Value;
  at: number;
}

function readList(reading: Reading, depth: number): Value[] | null {
  const { text } = reading;
  if (text[reading.at] !== '{' || depth === MOST_DEPTH) return null;
  const items: Value[] = [];
  reading.at++;
  if (text[reading.at] === '}') {
    reading.at++;
    return items;
  }
  for (;;) {
    const item = readItem(reading, depth);
    if (item === undefined) return null;
    items.push(item);
    const next = text[reading.at++];
    if (next === '}') return items;
    if (next !== ',') return null;
  }
}

function readItem(reading: Reading, depth: number): Value | undefined {
  const { text, element } = reading;
  const first = text[reading.at];
  if (first === '{') return readList(reading, depth + 1) ?? undefined;
  if (first === '"') {
    const quoted = readQuoted(reading);
    return quoted === null ? undefined : element(quoted);
  }
  const from = reading.at;
  while (reading.at < text.length && text[reading.at] !== ',' && text[reading.at] !== '}') reading.at++;
  const plain = text.slice(from, reading.at);
  if (plain === '') return undefined;
  return plain === 'NULL' ? null : element(plain.replace(/\\(.)/g, '$1'));
}

function readQuoted(reading: Reading): string | null {
  const { text } = reading;
  let found = '';
  for (reading.at++; reading.at < text.length; reading.at++) {
    const character = text[reading.at];
    if (character === '"') {
      reading.at++;
      return found;
    }
    if (character === '\\') reading.at++;
    found += text[reading.at] ?? '';
  }
  return null;
}
