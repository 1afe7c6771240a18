/** Shorter pieces of a text are copies already. */
const LEAST_CUT = 13;

/**
 * A copy that keeps no other text alive. What is cut out of a message, or composed of such pieces, keeps the whole
 * message for as long as it is kept itself: what is remembered for longer than its request is copied.
 */
export function ownText(text: string): string {
  if (text.length < LEAST_CUT) return text;
  const copy = Buffer.from(text, 'latin1').toString('latin1');
  return copy === text ? copy : Buffer.from(text, 'utf16le').toString('utf16le');
}
