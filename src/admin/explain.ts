import { isIP } from 'node:net';
import { type Headers, isToken } from '../http/headers.ts';
import type { ExplainRequest } from '../snapshot/index.ts';

const MEMBERS = new Set(['method', 'url', 'headers', 'ip', 'listener']);

/** Reads `{ method, url, headers, ip, listener }`, all but `url` optional; in words what is wrong with it. */
export function readExplainRequest(body: unknown): ExplainRequest | string {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return 'The body is not a JSON object.';
  const unknown = Object.keys(body).find((key) => !MEMBERS.has(key));
  if (unknown !== undefined) return `"${unknown}" is not a member; there are ${[...MEMBERS].join(', ')}.`;
  const { method = 'GET', url, headers = {}, ip, listener } = body as Record<string, unknown>;
  if (typeof url !== 'string') return '"url" is missing: write a URL, or a path that begins with /.';
  if (typeof method !== 'string' || !isToken(method))
    return '"method" is not a method; write for example GET.';
  if (ip !== undefined && (typeof ip !== 'string' || isIP(ip) === 0)) return '"ip" is not an IP address.';
  if (listener !== undefined && typeof listener !== 'string') return '"listener" is not a name.';
  const pairs = readHeaders(headers);
  if (pairs === null) return '"headers" is not an object of names and texts (or lists of texts).';
  return {
    method,
    url,
    headers: pairs,
    ...(ip === undefined ? {} : { ip }),
    ...(listener === undefined ? {} : { listener }),
  };
}

function readHeaders(headers: unknown): Headers | null {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return null;
  const flat: Headers = [];
  for (const [name, said] of Object.entries(headers)) {
    if (!isToken(name)) return null;
    for (const value of Array.isArray(said) ? said : [said]) {
      if (typeof value !== 'string' || /[\0\r\n]/.test(value)) return null;
      flat.push(name, value);
    }
  }
  return flat;
}
