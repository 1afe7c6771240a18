import type { EntryHead } from '../shared-store.ts';

/** Grows when a reader of the older form would misread the newer one; entries of another version are misses. */
const VERSION = 1;

/** An entry's head as it stands in Redis, with short names: JSON, so that what a deployment holds can be looked at. */
interface Record {
  v: number;
  /** URL. */
  u: string;
  s: number;
  h: string[];
  /** Times: request, response. */
  a: number;
  b: number;
  g: number;
  /** Lifetime, stale-while-revalidate, stale-if-error; null is Infinity. */
  l: number | null;
  w: number | null;
  e: number | null;
  /** mustRevalidate 1, noCache 2, private 4, immutable 8. */
  f: number;
  vn: readonly string[];
  vv: readonly (string | null)[];
  t: readonly string[];
  q: number;
  et?: string;
  lm?: string;
}

export interface StoredHead {
  readonly url: string;
  readonly head: EntryHead;
}

export function encodeHead(entry: EntryHead, url: string): Buffer {
  const record: Record = {
    v: VERSION,
    u: url,
    s: entry.status,
    h: entry.headers,
    a: entry.requestAt,
    b: entry.responseAt,
    g: entry.ageAtResponse,
    l: finite(entry.lifetime),
    w: finite(entry.staleWhileRevalidate),
    e: finite(entry.staleIfError),
    f: flagsOf(entry),
    vn: entry.varyOn,
    vv: entry.varyValues.map((value) => value ?? null),
    t: entry.tags,
    q: entry.sequence,
    ...(entry.etag === undefined ? {} : { et: entry.etag }),
    ...(entry.lastModified === undefined ? {} : { lm: entry.lastModified }),
  };
  return Buffer.from(JSON.stringify(record));
}

/** Null for what this version can't read. */
export function decodeHead(bytes: Buffer): StoredHead | null {
  const record = parse(bytes);
  if (record === null || record.v !== VERSION) return null;
  const head: EntryHead = {
    url: record.u,
    status: record.s,
    headers: record.h,
    requestAt: record.a,
    responseAt: record.b,
    ageAtResponse: record.g,
    lifetime: record.l ?? Number.POSITIVE_INFINITY,
    staleWhileRevalidate: record.w ?? Number.POSITIVE_INFINITY,
    staleIfError: record.e ?? Number.POSITIVE_INFINITY,
    mustRevalidate: (record.f & 1) !== 0,
    noCache: (record.f & 2) !== 0,
    varyOn: record.vn,
    varyValues: record.vv.map((value) => value ?? undefined),
    tags: record.t,
    sequence: record.q,
    private: (record.f & 4) !== 0,
    immutable: (record.f & 8) !== 0,
    etag: record.et,
    lastModified: record.lm,
  };
  return { url: record.u, head };
}

function parse(bytes: Buffer): Record | null {
  try {
    return JSON.parse(bytes.toString()) as Record;
  } catch {
    return null;
  }
}

function flagsOf(entry: EntryHead): number {
  const { mustRevalidate, noCache, immutable } = entry;
  return (mustRevalidate ? 1 : 0) | (noCache ? 2 : 0) | (entry.private ? 4 : 0) | (immutable ? 8 : 0);
}

function finite(seconds: number): number | null {
  return Number.isFinite(seconds) ? seconds : null;
}
