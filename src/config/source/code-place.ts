import { pathToFileURL } from 'node:url';

/** Where in a program something went wrong; lines and columns count from 1. */
export interface CodePlace {
  file: string;
  line: number;
  /** Null where only the line is known. */
  column: number | null;
}

/** The innermost place in one of the files that an error tells of, by its stack. */
export function placeOf(error: unknown, files: readonly string[]): CodePlace | null {
  if (!(error instanceof Error) || error.stack === undefined) return null;
  const { stack } = error;
  const named = files
    .flatMap((file) => [file, pathToFileURL(file).href].map((name) => ({ file, name })))
    .map(({ file, name }) => ({ file, at: stack.indexOf(`${name}:`), length: name.length }))
    .filter(({ at }) => at >= 0);
  if (named.length === 0) return null;
  const { file, at, length } = named.reduce((first, other) => (other.at < first.at ? other : first));
  const numbers = /^(\d+)(?::(\d+))?/.exec(stack.slice(at + length + 1));
  if (numbers === null) return null;
  const [, line, column] = numbers;
  return { file, line: Number(line), column: column === undefined ? underlined(stack) : Number(column) };
}

/** A slip of syntax is told by the line and a row of `^` below what is meant. */
function underlined(stack: string): number | null {
  const row = /^([^\S\n]*)\^+[^\S\n]*$/m.exec(stack);
  return row === null ? null : row[1]!.length + 1;
}
