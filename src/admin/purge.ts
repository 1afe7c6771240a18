import { type Invalidation, urlTag } from '../cache/index.ts';
import { canonicalPrefix, canonicalUrl } from '../router/index.ts';
import { maskUrl } from '../util/secret-looks.ts';

const LISTS = ['tags', 'urls', 'prefixes'] as const;
const SWITCHES = ['all', 'soft'] as const;
const MEMBERS: readonly string[] = [...LISTS, ...SWITCHES];

/** A tag stands in headers, logs and a stream: it may be long, but not without end. */
const LONGEST = 8192;

/** Reads `{ tags, urls, prefixes, all, soft }`, any of them; in words what is wrong with it. */
export function readPurge(body: unknown): Invalidation | string {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return 'The body is not a JSON object.';
  const said = body as Record<string, unknown>;
  const unknown = Object.keys(said).find((key) => !MEMBERS.includes(key));
  if (unknown !== undefined) return `"${unknown}" is not a member; there are ${MEMBERS.join(', ')}.`;
  const wrong = LISTS.map((key) => wrongList(key, said[key])).find((found) => found !== null);
  if (wrong !== undefined) return wrong;
  const odd = SWITCHES.find((key) => said[key] !== undefined && typeof said[key] !== 'boolean');
  if (odd !== undefined) return `"${odd}" is true or false.`;
  return purgeOf(
    said as Partial<Record<(typeof LISTS)[number], string[]>> & { all?: boolean; soft?: boolean },
  );
}

function wrongList(key: string, value: unknown): string | null {
  if (value === undefined) return null;
  if (!Array.isArray(value)) return `"${key}" is not a list of texts.`;
  for (const entry of value) {
    if (typeof entry !== 'string') return `In "${key}" stands ${JSON.stringify(entry)}, which is no text.`;
    if (entry === '') return `In "${key}" stands an empty text.`;
    if (entry.length > LONGEST) return `In "${key}" stands a text of more than ${LONGEST} characters.`;
    if (/[\0-\x1f\x7f]/.test(entry)) return `In "${key}" stands a text with a control character in it.`;
  }
  return null;
}

function purgeOf(said: {
  tags?: string[];
  urls?: string[];
  prefixes?: string[];
  all?: boolean;
  soft?: boolean;
}): Invalidation | string {
  const { tags = [], urls = [], prefixes = [], all = false, soft = false } = said;
  if (!all && tags.length + urls.length + prefixes.length === 0)
    return 'Nothing is named: say "tags", "urls", "prefixes" or "all": true.';
  const places = [...urls.map(purgedUrl), ...prefixes.map(purgedPrefix)];
  const failed = places.find((place) => 'why' in place);
  if (failed !== undefined && 'why' in failed) return failed.why;
  const spelled = places.map((place) => ('url' in place ? place.url : ''));
  return {
    tags: [...new Set([...tags, ...spelled.slice(0, urls.length).map(urlTag)])],
    prefixes: [...new Set(spelled.slice(urls.length))],
    all,
    soft,
  };
}

type Place = { url: string } | { why: string };

/** A URL in the spelling that entries have it in: the same as requests are brought to. */
function purgedUrl(text: string): Place {
  if (!/^https?:\/\//i.test(text)) {
    const why = `In "urls" stands "${maskUrl(text)}", which is not absolute: write http://HOST/PATH or https://HOST/PATH.`;
    return { why };
  }
  const url = canonicalUrl(text);
  return url === null ? { why: `In "urls" stands "${maskUrl(text)}", which is not a valid URL.` } : { url };
}

/** A prefix is spelled as URLs are; where it ends stays as it is, for that means something. */
function purgedPrefix(text: string): Place {
  const url = canonicalPrefix(text);
  if (url !== null) return { url };
  if (text.startsWith('/') || /^https?:\/\/[^/?#]/i.test(text))
    return { why: `In "prefixes" stands "${maskUrl(text)}", which no valid URL begins with.` };
  const why = `In "prefixes" stands "${maskUrl(text)}": write https://HOST/PATH for one host, or /PATH for every host.`;
  return { why };
}
