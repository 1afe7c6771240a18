import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import { extname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { matchesWeakly } from '../cache/index.ts';

/** The page may speak to its own gateway alone, and run what that serves alone. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
};

/** Named in Accept-Encoding, and not to say that it is not wanted (RFC 9110 §12.5.3). */
const GZIP = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i;

interface Asset {
  readonly type: string;
  readonly zipped: Buffer;
  readonly plain: Buffer;
  readonly etag: string;
}

/**
 * The files of the dashboard by their paths, read once: from sources, without their types, or as the package was built.
 * They hold nothing that is secret, so they are given without a token; the page asks for it.
 */
export class Dashboard {
  private readonly assets = new Map<string, Asset>();

  constructor(folder = new URL('../../dashboard/', import.meta.url)) {
    for (const file of readdirSync(folder)) {
      const type = TYPES[extname(file)];
      if (type === undefined || file.endsWith('.d.ts')) continue;
      const asset = assetOf(readFileSync(new URL(file, folder), 'utf8'), file, type);
      this.assets.set(`/dashboard/${file}`, asset);
      // The page names its modules as its sources do.
      if (file.endsWith('.js')) this.assets.set(`/dashboard/${file.replace(/\.js$/, '.ts')}`, asset);
      if (file === 'index.html') this.assets.set('/', asset);
    }
  }

  /** False: the path is none of the dashboard's. */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const { method, headers } = request;
    const asset = this.assets.get(request.url?.split('?', 1)[0] ?? '');
    if (asset === undefined || (method !== 'GET' && method !== 'HEAD')) return false;
    const known = headers['if-none-match'];
    const fresh = known !== undefined && matchesWeakly(known, asset.etag);
    const zips = GZIP.test(String(headers['accept-encoding'] ?? ''));
    const body = zips ? asset.zipped : asset.plain;
    response.writeHead(fresh ? 304 : 200, {
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
      vary: 'accept-encoding',
      etag: asset.etag,
      ...(fresh
        ? {}
        : {
            'content-type': asset.type,
            'content-length': body.length,
            ...(zips ? { 'content-encoding': 'gzip' } : {}),
          }),
    });
    response.end(fresh || method === 'HEAD' ? undefined : body);
    return true;
  }
}

function assetOf(text: string, file: string, type: string): Asset {
  const plain = Buffer.from(file.endsWith('.ts') ? stripTypeScriptTypes(text) : text);
  const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
  return { type, plain, zipped: gzipSync(plain, { level: 9 }), etag };
}
