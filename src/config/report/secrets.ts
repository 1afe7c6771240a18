import { MASK } from '../../util/secret.ts';
import { editDistance } from '../../util/suggest.ts';

/** Words in a key that say its value must never be seen. */
const SECRET_WORDS = [
  'secret',
  'password',
  'passwd',
  'passphrase',
  'passcode',
  'pwd',
  'pass',
  'token',
  'credential',
  'apikey',
  'authorization',
  'bearer',
  'private',
  'key',
];
/** Near a secret word, but another one. */
const HARMLESS_WORDS = [
  'passive',
  'pages',
  'path',
  'paths',
  'keys',
  'passing',
  'private',
  'taken',
  'second',
  'seconds',
];
/** Whole keys that hold no secret though a word in them sounds so. */
const HARMLESS_KEYS = ['tokenEndpoint', 'passToken', 'partKey', 'monkey', 'keyboard'];

/** Does this key, misspelt perhaps, name something that must not be printed? */
export function looksSecret(key: string): boolean {
  if (HARMLESS_KEYS.includes(key)) return false;
  const words = key
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  if (words.some(isSecretWord)) return true;
  const joined = words.join('');
  return isSecretWord(joined) || /secret|password|passwd|apikey|token|credential/.test(joined);
}

function isSecretWord(word: string): boolean {
  if (SECRET_WORDS.includes(word)) return true;
  if (word === 'keys') return true;
  if (HARMLESS_WORDS.includes(word)) return false;
  return SECRET_WORDS.some((secret) => isMisspelt(word, secret));
}

/** One slip in a word of five letters or more, two in one of eight or more. */
function isMisspelt(word: string, secret: string): boolean {
  const slips = secret.length >= 8 ? 2 : secret.length >= 5 ? 1 : 0;
  if (slips === 0 || Math.abs(word.length - secret.length) > slips) return false;
  return editDistance(word, secret) <= slips || editDistance(word, `${secret}s`) <= 1;
}

/** Offsets into a text. */
type Range = readonly [start: number, end: number];

/**
 * `user:password` before the `@` of a URL. A password in which a slash stands as it is counts too, though no
 * URL may hold one so, unless what follows the colon is a port.
 */
const CREDENTIALS =
  /(?<=[a-z][a-z0-9+.-]*:\/\/)(?:[^\s/@"[]*:(?!\d+(?:[/?#"',\]}]|$))[^\s@"]+|[^\s/@"]*)(?:@[^\s/@"]*)*(?=@)/gi;
/** `:password@host:port`, its scheme forgotten. */
const WITHOUT_SCHEME = /(?<![^\s"'[{,])[^\s/@'":{}[\],]*:[^\s/@'"{}[\],]+(?=@[\w.-]+:\d)/g;
const QUERY_PARAMETER = /(?<=[?&])([\w.-]+)=(?!\$\{)([^&#\s"'{}]+)/g;
const KEY_AND_VALUE =
  /(["']?)([A-Za-z_][\w.-]*)\1(\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|[^\s,}\]#"'[{&*][^,}\]#]*)/g;

/** What stands before the `key` of a batch, which opens nothing. */
const OF_BATCH = /\bbatch"?\s*:\s*\{[^{}]*$/;

/** Takes `user:password`, and parameters that sound like secrets, out of every URL in a text. */
export function maskUrls(text: string): string {
  let masked = '';
  let at = 0;
  for (const [start, end] of secretsOfUrls(text).sort((a, b) => a[0] - b[0])) {
    if (start < at) continue;
    masked += text.slice(at, start) + MASK;
    at = end;
  }
  return masked + text.slice(at);
}

function secretsOfUrls(text: string): Range[] {
  const found: Range[] = [];
  for (const pattern of [CREDENTIALS, WITHOUT_SCHEME]) {
    for (const { 0: match, index } of text.matchAll(pattern))
      if (!isReference(match)) found.push([index, index + match.length]);
  }
  for (const { 0: match, 1: name, 2: value, index } of text.matchAll(QUERY_PARAMETER)) {
    const end = index + match.length;
    if (looksSecret(name!) && value !== MASK) found.push([end - value!.length, end]);
  }
  return found;
}

/**
 * What in a line of a config is given to a key that sounds secret, by its look alone: for comments, and
 * for files that could not be parsed; and `user:password` in URLs.
 */
export function secretsByLook(line: string): Range[] {
  const found: Range[] = [];
  for (const match of line.matchAll(KEY_AND_VALUE)) {
    const [whole, , key, , value] = match as unknown as [string, string, string, string, string];
    if (!looksSecret(key) || isReference(value) || isNoText(value)) continue;
    if (key === 'key' && OF_BATCH.test(line.slice(0, match.index))) continue;
    found.push([match.index + whole.length - value.length, match.index + whole.trimEnd().length]);
  }
  return [...found, ...secretsOfUrls(line)];
}

/** A switch is no secret. */
function isNoText(value: string): boolean {
  return /^(?:true|false)\s*$/.test(value);
}

/** `${env.NAME}` and `${file:PATH}` say where a secret is, not what it is; so does the path of a key file. */
export function isReference(value: string): boolean {
  const bare = value.trim().replace(/^(["'])(.*)\1$/, '$2');
  return /^(\$\{(env\.\w+|file:[^}:]+)\}:?)+$/.test(bare) || /^[\w./~-]+\.(pem|key|crt|der)$/.test(bare);
}

/** Objects whose keys are names that the user chose: a route may be called `token`. */
const NAMED = ['services', 'routes', 'policies', 'auth', 'changes'];

/** Is the value at this path one that must not be printed? */
export function isSecretPath(path: readonly (string | number)[]): boolean {
  return path.some((step, index) => {
    if (typeof step !== 'string' || !looksSecret(step)) return false;
    // By what the parts of a batch are found is no key to anything.
    if (step === 'key' && path[index - 1] === 'batch') return false;
    // A cache's key and what is private in it are no secrets.
    if (path[index - 1] === 'cache' && (step === 'key' || step === 'private')) return false;
    // What such a name stands for is shown, but never a text in its place.
    const isName = (index === 1 && NAMED.includes(String(path[0]))) || path[index - 1] === 'calls';
    return !(isName && path.length > index + 1);
  });
}
