/** V8 learns of a load only from a function that has run a few times. */
const ENOUGH = 100;

/**
 * Keeps the methods of strings quick for as long as the process lives. To be called before libraries are loaded.
 *
 * What becomes the prototype of a class is to V8 an object under construction, and becomes a dictionary, until something
 * is read by way of it. A library with a `class … extends String` (Redis clients have one) so makes a dictionary of
 * String.prototype, and nothing mends that, for to read from a plain string does not count. From then on each
 * `charCodeAt` of the process is a search by name and a call: four times as dear, and a request reads all its letters
 * so. A prototype that was read from by way of an object before is left as it is.
 */
export function keepStringsQuick(): void {
  const object = Object('') as string;
  for (let i = 0; i < ENOUGH; i++) read(object);
}

function read(text: string): unknown {
  return text.charCodeAt;
}
