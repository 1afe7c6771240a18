import { getHeader, type Headers } from './headers.ts';

/** Content types by the ending of a file's name: what web servers serve, no more. */
const TYPES: Readonly<Record<string, string>> = {
  avif: 'image/avif',
  bin: 'application/octet-stream',
  bmp: 'image/bmp',
  css: 'text/css; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  eot: 'application/vnd.ms-fontobject',
  gif: 'image/gif',
  gz: 'application/gzip',
  htm: 'text/html; charset=utf-8',
  html: 'text/html; charset=utf-8',
  ico: 'image/x-icon',
  ics: 'text/calendar; charset=utf-8',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  jsonld: 'application/ld+json',
  map: 'application/json',
  md: 'text/markdown; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  ogg: 'audio/ogg',
  otf: 'font/otf',
  pdf: 'application/pdf',
  pem: 'application/x-pem-file',
  png: 'image/png',
  rss: 'application/rss+xml',
  svg: 'image/svg+xml',
  tar: 'application/x-tar',
  tsv: 'text/tab-separated-values; charset=utf-8',
  ttf: 'font/ttf',
  txt: 'text/plain; charset=utf-8',
  wasm: 'application/wasm',
  wav: 'audio/wav',
  webm: 'video/webm',
  webmanifest: 'application/manifest+json',
  webp: 'image/webp',
  woff: 'font/woff',
  woff2: 'font/woff2',
  xhtml: 'application/xhtml+xml',
  xml: 'application/xml',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  zip: 'application/zip',
};

/** The content type of a file by its name; `application/octet-stream` where its ending says nothing. */
export function mediaTypeOf(fileName: string): string {
  const ending = /\.([^./\\]+)$/.exec(fileName)?.[1]?.toLowerCase();
  return (
    (ending !== undefined && Object.hasOwn(TYPES, ending) ? TYPES[ending] : undefined) ??
    'application/octet-stream'
  );
}

/** Server-sent events, whose answer has no end of its own. Types are compared without case (RFC 9110 §8.3.1). */
export function isEventStream(headers: Headers): boolean {
  const type = getHeader(headers, 'content-type');
  return type !== undefined && type.length >= 17 && /^text\/event-stream[\t ]*(?:;|$)/i.test(type);
}

/** gRPC over HTTP/2 (`application/grpc`, `application/grpc+proto`, …), not gRPC-Web. */
export function isGrpc(headers: Headers): boolean {
  const type = getHeader(headers, 'content-type');
  return type !== undefined && /^application\/grpc(?:\+|[\t ]*(?:;|$))/i.test(type);
}
