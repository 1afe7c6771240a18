import { ownBytes } from '../../util/own-bytes.ts';
import { ownText } from '../../util/own-text.ts';
import type { Entry } from '../entry.ts';

/** Texts that many entries have in common: names, types, lifetimes, the date of a second. */
const common = new Map<string, string>();
const MOST_COMMON = 1000;
const LONGEST_COMMON = 100;

const NONE: readonly string[] = [];

/**
 * The entry, as it is kept under this key: in memory of its own. What is cut out of a message keeps the whole message,
 * and a short buffer the pool that it lies in: an entry of 200 bytes would keep 64 KiB, and nobody would count them.
 * What hits read comes first and in one piece, and lists of nothing are one list: of 100,000 entries that are asked for
 * in turn each is out of the processor's caches, and each place that is looked at costs.
 */
export function compact(key: string, entry: Entry): Entry {
  return {
    aliveAt: undefined,
    hits: undefined,
    varyOn: ownTexts(entry.varyOn),
    tags: ownTexts(entry.tags),
    ageAtResponse: entry.ageAtResponse,
    responseAt: entry.responseAt,
    lifetime: entry.lifetime,
    noCache: entry.noCache,
    sequence: entry.sequence,
    key,
    url: ownText(entry.url),
    status: entry.status,
    headers: entry.headers.map(sharedText),
    body: ownBytes(entry.body),
    requestAt: entry.requestAt,
    staleWhileRevalidate: entry.staleWhileRevalidate,
    staleIfError: entry.staleIfError,
    mustRevalidate: entry.mustRevalidate,
    varyValues:
      entry.varyValues.length === 0 ? NONE : entry.varyValues.map((value) => value && ownText(value)),
    private: entry.private,
    immutable: entry.immutable === true,
    etag: entry.etag && ownText(entry.etag),
    lastModified: entry.lastModified && sharedText(entry.lastModified),
  };
}

function ownTexts(texts: readonly string[]): readonly string[] {
  return texts.length === 0 ? NONE : texts.map(ownText);
}

function sharedText(text: string): string {
  if (text.length > LONGEST_COMMON) return ownText(text);
  const known = common.get(text);
  if (known !== undefined) return known;
  if (common.size >= MOST_COMMON) common.clear();
  const own = ownText(text);
  common.set(own, own);
  return own;
}
