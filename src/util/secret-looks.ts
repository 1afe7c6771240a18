import { MASK } from './secret.ts';
import { editDistance } from './suggest.ts';

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
  'creds',
  'psk',
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
const HARMLESS_KEYS = ['tokenEndpoint', 'clientCredentials', 'passToken', 'partKey', 'monkey', 'keyboard'];

/** In a key whose words run together, as in `privatekey` and `dbpass`. */
const SECRET_WITHIN =
  /secret|password|passwd|apikey|token|credential|(?:private|access|signing|shared|auth|master|encryption|hmac|session|ssh)key|(?:user|db|database|redis|admin)pass/;

/** A large config has the same few keys in thousands of places. */
const judged = new Map<string, boolean>();
const MOST_JUDGED = 1000;

/** Does this key, misspelt perhaps, name something that must not be printed? */
export function looksSecret(key: string): boolean {
  let verdict = judged.get(key);
  if (verdict !== undefined) return verdict;
  verdict = judge(key);
  if (judged.size >= MOST_JUDGED) judged.clear();
  judged.set(key, verdict);
  return verdict;
}

function judge(key: string): boolean {
  if (HARMLESS_KEYS.includes(key)) return false;
  const words = key
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  if (words.some(isSecretWord)) return true;
  const joined = words.join('');
  return isSecretWord(joined) || SECRET_WITHIN.test(joined);
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
  return editDistance(word, secret, slips) <= slips || editDistance(word, `${secret}s`, 1) <= 1;
}

/** Offsets into a text. */
export type Range = readonly [start: number, end: number];

/**
 * `user:password` before the `@` of a URL. A password in which a slash stands as it is counts too, though no
 * URL may hold one so, unless what follows the colon is a port.
 */
const CREDENTIALS =
  /(?<=[a-z][a-z0-9+.-]*:\/\/)(?:[^\s/@"[]*:(?!\d+(?:[/?#"',\]}]|$))[^\s@"]+|[^\s/@"]*)(?:@[^\s/@"]*)*(?=@)/gi;
/** `:password@host:port`, its scheme forgotten. */
const WITHOUT_SCHEME = /(?<![^\s"'[{,])[^\s/@'":{}[\],]*:[^\s/@'"{}[\],]+(?=@[\w.-]+:\d)/g;
const QUERY_PARAMETER = /(?<=[?&])([\w.-]+)=(?!\$\{)([^&#\s"'{}]+)/g;

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

/** Where in a text are `user:password`, and parameters that sound like secrets? */
export function secretsOfUrls(text: string): Range[] {
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

/** `${env.NAME}` and `${file:PATH}` say where a secret is, not what it is; so does the path of a key file. */
export function isReference(value: string): boolean {
  const bare = value.trim().replace(/^(["'])(.*)\1$/, '$2');
  return /^(\$\{(env\.\w+|file:[^}:]+)\}:?)+$/.test(bare) || /^[\w./~-]+\.(pem|key|crt|der)$/.test(bare);
}

/** A URL, or the beginning of one, as it may be shown: credentials in it are masked, in its query too. */
export function maskUrl(text: string): string {
  const mark = text.indexOf('?');
  if (mark < 0) return maskUrls(text);
  const pairs = text
    .slice(mark + 1)
    .split('&')
    .map(maskPair);
  return `${maskUrls(text.slice(0, mark))}?${pairs.join('&')}`;
}

function maskPair(pair: string): string {
  const [name = ''] = pair.split('=', 1);
  return name.length < pair.length && looksSecret(decoded(name)) ? `${name}=${MASK}` : pair;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
