import { getJoined, type Headers } from '../../http/headers.ts';
import { type BareItem, parseDictionary } from './structured.ts';

/** RFC 9111 §1.2.2: a number too large to hold is taken as 2^31. */
const MOST_SECONDS = 2 ** 31;

/** Fields that a shared cache reads, the most specific first (RFC 9213 §2.2). */
const TARGETED = ['tidegate-cache-control', 'cdn-cache-control'] as const;

/** What a response's cache directives say. Times in seconds, null where the directive is absent. */
export interface Directives {
  /** The field that spoke; null where none did. A targeted one silences Cache-Control and Expires. */
  source: string | null;
  maxAge: number | null;
  sMaxage: number | null;
  staleWhileRevalidate: number | null;
  staleIfError: number | null;
  noStore: boolean;
  /** Without field names. */
  noCache: boolean;
  noCacheFields: string[];
  /** Without field names. */
  private: boolean;
  privateFields: string[];
  public: boolean;
  mustRevalidate: boolean;
  proxyRevalidate: boolean;
  mustUnderstand: boolean;
  immutable: boolean;
}

/** The directives of a response that hold for this cache: of the most specific field that is there and valid. */
export function responseDirectives(headers: Headers): Directives {
  for (const name of TARGETED) {
    const directives = parseTargeted(headers, name);
    if (directives !== null) return directives;
  }
  return parseCacheControl(headers);
}

/** Reads every line of one field in the syntax of Cache-Control (RFC 9111 §5.2); tokens and quoted strings alike. */
function parseCacheControl(headers: Headers, name = 'cache-control'): Directives {
  const directives = silent();
  const text = getJoined(headers, name);
  if (text === undefined) return directives;
  directives.source = name;
  eachDirective(text, (directive, argument) => readDirective(directives, directive, argument));
  return directives;
}

/** Reads a targeted field, a structured dictionary (RFC 9213 §2.1); null where it is absent, empty or invalid. */
function parseTargeted(headers: Headers, name: string): Directives | null {
  const text = getJoined(headers, name);
  const members = text === undefined ? null : parseDictionary(text);
  if (members === null || members.size === 0) return null;
  const directives = silent();
  directives.source = name;
  for (const [key, item] of members) {
    if (item.type === 'boolean' && !item.value) continue;
    readDirective(directives, key, argumentOf(item));
  }
  return directives;
}

/** Calls `visit` with each directive's name in lower case and its argument, unquoted, null where it has none. */
export function eachDirective(text: string, visit: (name: string, argument: string | null) => void): void {
  const directive = /([^\s,="]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)("?)|([^,]*)))?[^,]*/g;
  for (const match of text.matchAll(directive)) {
    const [, name, quoted, end, token] = match;
    // A quote that never ends makes no argument out of what follows it.
    const argument =
      quoted === undefined ? token?.trim() : end === '' ? '' : quoted.replaceAll(/\\(.)/g, '$1');
    visit(name!.toLowerCase(), argument ?? null);
  }
}

/** Seconds of an argument (RFC 9111 §1.2.2), null where it is no delta-seconds. */
export function deltaSeconds(argument: string | null): number | null {
  if (argument === null || !/^\d+$/.test(argument)) return null;
  return Math.min(Number(argument), MOST_SECONDS);
}

function silent(): Directives {
  return {
    source: null,
    maxAge: null,
    sMaxage: null,
    staleWhileRevalidate: null,
    staleIfError: null,
    noStore: false,
    noCache: false,
    noCacheFields: [],
    private: false,
    privateFields: [],
    public: false,
    mustRevalidate: false,
    proxyRevalidate: false,
    mustUnderstand: false,
    immutable: false,
  };
}

function readDirective(into: Directives, name: string, argument: string | null): void {
  switch (name) {
    case 'max-age':
      into.maxAge = lifetime(into.maxAge, argument);
      break;
    case 's-maxage':
      into.sMaxage = lifetime(into.sMaxage, argument);
      break;
    case 'stale-while-revalidate':
      into.staleWhileRevalidate = lifetime(into.staleWhileRevalidate, argument);
      break;
    case 'stale-if-error':
      into.staleIfError = lifetime(into.staleIfError, argument);
      break;
    case 'no-store':
      into.noStore = true;
      break;
    case 'no-cache':
      if (!addFields(into.noCacheFields, argument)) into.noCache = true;
      break;
    case 'private':
      if (!addFields(into.privateFields, argument)) into.private = true;
      break;
    case 'public':
      into.public = true;
      break;
    case 'must-revalidate':
      into.mustRevalidate = true;
      break;
    case 'proxy-revalidate':
      into.proxyRevalidate = true;
      break;
    case 'must-understand':
      into.mustUnderstand = true;
      break;
    case 'immutable':
      into.immutable = true;
      break;
  }
}

/** Invalid values, and several that differ, make the response stale (RFC 9111 §4.2.1). */
function lifetime(before: number | null, argument: string | null): number {
  const seconds = deltaSeconds(argument) ?? 0;
  return before === null || before === seconds ? seconds : 0;
}

/** False where no field is named: then the directive holds for the whole response. */
function addFields(into: string[], argument: string | null): boolean {
  const names = (argument ?? '').split(',').map((name) => name.trim().toLowerCase());
  const named = names.filter((name) => name !== '');
  into.push(...named);
  return named.length > 0;
}

/** A value of another type than its directive wants reads as an invalid one. */
function argumentOf(item: BareItem): string | null {
  if (item.type === 'boolean') return null;
  if (item.type === 'integer') return String(item.value);
  return item.type === 'string' || item.type === 'token' ? quotedNumber(item.value) : '';
}

/** In a structured field a number in quotes is a string, never a lifetime. */
function quotedNumber(text: string): string {
  return /^\d+$/.test(text) ? '' : text;
}
