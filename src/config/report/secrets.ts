import { isReference, looksSecret, type Range, secretsOfUrls } from '../../util/secret-looks.ts';

const KEY_AND_VALUE =
  /(["']?)([A-Za-z_][\w.-]*)\1(\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|[^\s,}\]#"'[{&*][^,}\]#]*)/g;

/** Where a `key` says by what something is found, counted or spread, and opens nothing. */
const KEYED = ['batch', 'cache', 'limit', 'balance'];
/** What stands before such a `key` in its line. */
const OPENS_NOTHING = new RegExp(`\\b(?:${KEYED.join('|')})"?\\s*:\\s*\\{[^{}]*$`);

/**
 * What in a line of a config is given to a key that sounds secret, by its look alone: for comments, and
 * for files that could not be parsed; and `user:password` in URLs.
 */
export function secretsByLook(line: string): Range[] {
  const found: Range[] = [];
  for (const match of line.matchAll(KEY_AND_VALUE)) {
    const [whole, , key, , value] = match as unknown as [string, string, string, string, string];
    if (!looksSecret(key) || isReference(value) || isNoText(value)) continue;
    if (key === 'key' && OPENS_NOTHING.test(line.slice(0, match.index))) continue;
    found.push([match.index + whole.length - value.length, match.index + whole.trimEnd().length]);
  }
  return [...found, ...secretsOfUrls(line)];
}

/** A switch is no secret. */
function isNoText(value: string): boolean {
  return /^(?:true|false)\s*$/.test(value);
}

/** Objects whose keys are names that the user chose: a route may be called `token`. */
const NAMED = ['services', 'routes', 'policies', 'auth', 'changes'];

/** Is the value at this path one that must not be printed? */
export function isSecretPath(path: readonly (string | number)[]): boolean {
  // They show a collector who the gateway is, whatever they are called.
  if (path[0] === 'tracing' && path[1] === 'headers' && path.length > 2) return true;
  return path.some((step, index) => {
    if (typeof step !== 'string' || !looksSecret(step)) return false;
    const holder = holderOf(path, index);
    if (step === 'key' && KEYED.includes(holder)) return false;
    // What is private in a cache is no secret.
    if (step === 'private' && holder === 'cache') return false;
    // What such a name stands for is shown, but never a text in its place.
    return !(isChosen(path, index) && path.length > index + 1);
  });
}

/** The key that a step stands in, in a list perhaps; nothing where that is a name which the user chose. */
function holderOf(path: readonly (string | number)[], index: number): string {
  const at = typeof path[index - 1] === 'number' ? index - 2 : index - 1;
  return at < 1 || isChosen(path, at) ? '' : String(path[at]);
}

/** Is this step a name that the user chose? */
function isChosen(path: readonly (string | number)[], at: number): boolean {
  return (at === 1 && NAMED.includes(String(path[0]))) || path[at - 1] === 'calls';
}
