import { getJoined, type Headers } from '../../http/headers.ts';
import type { Entry } from '../entry.ts';

/** Lower-case names in Vary, sorted, each once; `*` where the answer depends on more than the request's head. */
export function varyNames(headers: Headers): readonly string[] | '*' {
  const text = getJoined(headers, 'vary');
  if (text === undefined) return [];
  const names = listMembers(text).map((name) => name.toLowerCase());
  return names.includes('*') ? '*' : [...new Set(names)].sort();
}

/** The request's values of the fields an answer varies on, in a form in which equal requests have equal values. */
export function varyValues(names: readonly string[], requestHeaders: Headers): (string | undefined)[] {
  return names.map((name) => varyValue(name, requestHeaders));
}

/** The newest of the entries whose Vary the request matches (RFC 9111 §4.1), or undefined. */
export function selectVariant(entries: readonly Entry[], requestHeaders: Headers): Entry | undefined {
  let newest: Entry | undefined;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    if (newest !== undefined && newest.responseAt > entry.responseAt) continue;
    if (matchesVary(entry, requestHeaders)) newest = entry;
  }
  return newest;
}

function matchesVary(entry: Entry, requestHeaders: Headers): boolean {
  const names = entry.varyOn;
  for (let i = 0; i < names.length; i++) {
    if (varyValue(names[i]!, requestHeaders) !== entry.varyValues[i]) return false;
  }
  return true;
}

/** An absent field only matches an absent one, an empty one only an empty one. */
function varyValue(name: string, requestHeaders: Headers): string | undefined {
  const value = getJoined(requestHeaders, name);
  if (value === undefined) return undefined;
  switch (name) {
    // Its order means nothing (RFC 9110 §12.5.3).
    case 'accept-encoding':
      return codings(value);
    // Some origins take the order for the preference, so it stays (RFC 9110 §12.5.4).
    case 'accept-language':
    case 'accept-charset':
      return preferences(value).join(',');
    default:
      return value.trim();
  }
}

/** Browsers send few different values, so each is worked out once; long ones aren't kept, so that nobody fills it. */
const knownCodings = new Map<string, string>();
const MOST_KNOWN = 256;
const LONGEST_KNOWN = 128;

function codings(value: string): string {
  const known = knownCodings.get(value);
  if (known !== undefined) return known;
  const normalised = preferences(value).sort().join(',');
  if (value.length > LONGEST_KNOWN) return normalised;
  if (knownCodings.size >= MOST_KNOWN) knownCodings.clear();
  knownCodings.set(value, normalised);
  return normalised;
}

/** Members in lower case without white space, and without the weight 1, which is what no weight means. */
function preferences(value: string): string[] {
  return listMembers(value).map((member) =>
    member
      .toLowerCase()
      .replaceAll(/[ \t]/g, '')
      .replace(/;q=1(?:\.0{0,3})?$/, ''),
  );
}

function listMembers(text: string): string[] {
  return text
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
}
