import type { SeededRandom } from '../../src/testkit/index.ts';
import { WORDS } from './corpus.ts';

/** Latin1 text in, latin1 text out: one character a byte. */
type Mutation = (bytes: string, random: SeededRandom, corpus: readonly string[]) => string;

const LONGEST = 4_000;

const flipByte: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  return splice(bytes, at, 1, String.fromCharCode(bytes.charCodeAt(at) ^ (1 << random.below(8))));
};

const replaceByte: Mutation = (bytes, random) =>
  splice(bytes, random.below(bytes.length), 1, String.fromCharCode(random.below(256)));

const removeRange: Mutation = (bytes, random) =>
  splice(bytes, random.below(bytes.length), 1 + random.below(8), '');

const repeatRange: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  return splice(bytes, at, 0, bytes.slice(at, at + 1 + random.below(32)));
};

const insertWord: Mutation = (bytes, random) =>
  splice(bytes, random.below(bytes.length + 1), 0, random.pick(WORDS));

const replaceByWord: Mutation = (bytes, random) => {
  const word = random.pick(WORDS);
  return splice(bytes, random.below(bytes.length), word.length, word);
};

/** A whole header line where header lines stand: most other places are refused at once. */
const insertLine: Mutation = (bytes, random) => {
  const ends = [...bytes.matchAll(/\r\n/g)].map((match) => match.index + 2);
  const lines = WORDS.filter((word) => word.endsWith('\r\n') && word.length > 2);
  return splice(bytes, ends.length === 0 ? 0 : random.pick(ends), 0, random.pick(lines));
};

const removeLine: Mutation = (bytes, random) => {
  const lines = bytes.split('\r\n');
  lines.splice(random.below(lines.length), 1);
  return lines.join('\r\n');
};

const swapLines: Mutation = (bytes, random) => {
  const lines = bytes.split('\r\n');
  const [a, b] = [random.below(lines.length), random.below(lines.length)];
  [lines[a], lines[b]] = [lines[b]!, lines[a]!];
  return lines.join('\r\n');
};

const changeCase: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  const part = bytes.slice(at, at + 1 + random.below(20));
  return splice(bytes, at, part.length, random.below(2) === 0 ? part.toLowerCase() : part.toUpperCase());
};

const changeNumber: Mutation = (bytes, random) => {
  const numbers = [...bytes.matchAll(/\d+/g)];
  if (numbers.length === 0) return bytes;
  const chosen = random.pick(numbers);
  return splice(bytes, chosen.index, chosen[0].length, String(Number(chosen[0]) + random.below(5) - 2));
};

const joinAnother: Mutation = (bytes, random, corpus) => bytes + random.pick(corpus);

const crossOver: Mutation = (bytes, random, corpus) => {
  const other = random.pick(corpus);
  return bytes.slice(0, random.below(bytes.length + 1)) + other.slice(random.below(other.length));
};

const MUTATIONS: readonly Mutation[] = [
  flipByte,
  replaceByte,
  removeRange,
  repeatRange,
  insertWord,
  insertWord,
  replaceByWord,
  insertLine,
  insertLine,
  removeLine,
  swapLines,
  changeCase,
  changeNumber,
  joinAnother,
  crossOver,
];

function splice(bytes: string, at: number, remove: number, insert: string): string {
  return bytes.slice(0, at) + insert + bytes.slice(at + remove);
}

/** One of the corpus, changed in up to five places. */
export function mutate(random: SeededRandom, corpus: readonly string[]): string {
  let bytes = random.pick(corpus);
  for (let count = random.below(6); count > 0; count--) {
    if (bytes === '') return bytes;
    bytes = random.pick(MUTATIONS)(bytes, random, corpus).slice(0, LONGEST);
  }
  return bytes;
}

/** Where to cut the bytes into packets: mostly nowhere. */
export function cuts(random: SeededRandom, length: number): number[] {
  if (length === 0 || random.below(2) === 0) return [];
  return Array.from({ length: 1 + random.below(4) }, () => random.below(length)).sort((a, b) => a - b);
}
