import { fieldText } from '../../http/field-text.ts';
import type { LineBytes } from '../line-bytes.ts';

/** Longest value of a field, in bytes of UTF-8. */
const LONGEST = 1024;
const CUT = '…';

/** At most 1 KiB of a text; one that was cut says so. Never within a code point. */
export function bounded(text: string): string {
  if (text.length * 3 <= LONGEST || Buffer.byteLength(text) <= LONGEST) return text;
  let bytes = 0;
  let end = 0;
  for (const point of text) {
    bytes += Buffer.byteLength(point);
    if (bytes > LONGEST - 3) break;
    end += point.length;
  }
  return text.slice(0, end) + CUT;
}

/** Texts without anything that must be escaped in JSON, nor what a terminal could take for a command. */
const PLAIN = /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/;

/**
 * A text as JSON, on one line whatever reads it, into a line.
 *
 * @param opening What stands before it, its first quote included.
 */
export function writeQuoted(line: LineBytes, opening: string, text: string): void {
  if (text.length <= LONGEST && line.plainString(opening, text)) return;
  line.ascii(opening.slice(0, -1));
  line.utf8(quoted(text));
}

/** A text as JSON, on one line whatever reads it. */
export function quoted(text: string): string {
  if (text.length <= LONGEST && PLAIN.test(text)) return `"${text}"`;
  return onOneLine(JSON.stringify(bounded(fieldText(text))));
}

/** JSON in which nothing stands as itself that some reader takes for the end of a line, or for a command. */
export function onOneLine(json: string): string {
  return json.replaceAll(/[\x7f-\x9f\u2028\u2029]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** As nginx and Apache write a field of the combined format: quotes, backslashes, control and other bytes as `\xHH`. */
export function hexEscaped(text: string): string {
  if (text.length <= LONGEST && PLAIN.test(text)) return text;
  const all = /^[\x00-\xff]*$/.test(text) ? text : Buffer.from(text).toString('latin1');
  const bytes = all.length <= LONGEST ? all : `${all.slice(0, LONGEST - 3)}...`;
  return bytes.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
    return `\\x${code}`;
  });
}
