import { isUtf8 } from 'node:buffer';

/** Percent-decodes as UTF-8; what is not valid stays as it is. */
export function percentDecoded(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => {
    const bytes = Buffer.from(run.replaceAll('%', ''), 'hex');
    return isUtf8(bytes) ? bytes.toString() : decodeWhatIsValid(run, bytes);
  });
}

/** One character after the other; a byte that begins none keeps its escape. */
function decodeWhatIsValid(run: string, bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at]!;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const character = bytes.subarray(at, at + length);
    const valid = isUtf8(character);
    text += valid ? character.toString() : run.slice(3 * at, 3 * at + 3);
    at += valid ? length : 1;
  }
  return text;
}
