import { hash } from 'node:crypto';

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

/** Longer ones are kept by their hash. */
const LONGEST = 256;

/** What stands for a text where many are remembered: whoever sends them chooses their length, too. */
export function boundedText(text: string): string {
  return text.length <= LONGEST ? text : `\0sha256 ${hash('sha256', text, 'base64url')}`;
}
