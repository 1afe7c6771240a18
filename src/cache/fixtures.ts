import type { Entry } from './entry.ts';

/** For tests: an entry that came at `at` (wall clock, ms) and is fresh for a minute, but for what is said of it. */
export function entryOf(part: Partial<Entry> = {}, at = 0): Entry {
  return {
    status: 200,
    headers: [],
    body: Buffer.alloc(0),
    requestAt: at,
    responseAt: at,
    ageAtResponse: 0,
    lifetime: 60,
    staleWhileRevalidate: 0,
    staleIfError: 0,
    mustRevalidate: false,
    noCache: false,
    varyOn: [],
    varyValues: [],
    tags: [],
    sequence: 0,
    url: 'http://shop.test/a',
    private: false,
    etag: undefined,
    lastModified: undefined,
    ...part,
  };
}
