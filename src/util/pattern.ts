import { createRequire } from 'node:module';
import type * as Re2 from 're2js';
import { nativePattern } from './pattern-native.ts';

/** A regular expression in the syntax of RE2, which takes time linear in the text. */
export interface Pattern {
  readonly source: string;
  /** Does the whole text match? */
  matches(text: string): boolean;
  /** Is there a match anywhere in the text? */
  find(text: string): boolean;
}

/** A pattern that is none; `offset` into it where known. */
export class PatternError extends Error {
  readonly offset: number | undefined;

  constructor(message: string, offset: number | undefined) {
    super(message);
    this.name = 'PatternError';
    this.offset = offset;
  }
}

/** Compiles a pattern, for ever and any number of texts. Throws a PatternError. */
export function compilePattern(source: string, options: { ignoreCase?: boolean } = {}): Pattern {
  const ignoreCase = options.ignoreCase ?? false;
  const { whole, find } = nativePattern(source, ignoreCase);
  if (whole !== null && find !== null)
    return { source, matches: (text) => whole.test(text), find: (text) => find.test(text) };
  // Nothing is wrong with what was recognised; anything else RE2 must see now.
  let linear = whole === null ? compileLinear(source, ignoreCase) : null;
  const engine = (): Re2.RE2JS => {
    linear ??= compileLinear(source, ignoreCase);
    return linear;
  };
  return {
    source,
    matches: whole !== null ? (text) => whole.test(text) : (text) => engine().testExact(text),
    find: (text) => engine().test(text),
  };
}

let loaded: typeof Re2 | null = null;

/** Loaded when the first pattern needs it: most configurations have none that does. */
export function re2(): typeof Re2 {
  loaded ??= createRequire(import.meta.url)('re2js') as typeof Re2;
  return loaded;
}

function compileLinear(source: string, ignoreCase: boolean): Re2.RE2JS {
  const { RE2JS, RE2JSSyntaxException } = re2();
  try {
    return RE2JS.compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    const part = error.input ?? '';
    const offset = part === '' ? -1 : source.indexOf(part);
    throw new PatternError(sentence(error.error, part), offset < 0 ? undefined : offset);
  }
}

function sentence(error: string, part: string): string {
  const look = /^\(\?<?[=!]/.exec(part);
  if (look !== null) return `the pattern looks ahead or behind with "${look[0]}", which RE2 does not do`;
  return part === '' ? `the pattern is broken: ${error}` : `the pattern is broken: ${error}: "${part}"`;
}
