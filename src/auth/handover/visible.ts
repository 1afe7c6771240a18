/**
 * A subject or permission as a header carries it: each byte of its UTF-8 that is not a visible ASCII character, and
 * `%` and `,`, percent-encoded. So a list can be joined by spaces, no value can end its line or pass for two, and a
 * service gets the text back with a plain percent-decoding.
 */
export function visible(text: string): string {
  return PLAIN.test(text) ? text : encoded(text);
}

/** `!` to `~` without `%` and `,`. */
const PLAIN = /^[!-$&-+\--~]*$/;

function encoded(text: string): string {
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const character = String.fromCharCode(byte);
    out += PLAIN.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}
