import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

export const PROBLEM_TYPE = 'application/problem+json';

/** A problem document (RFC 9457). */
export function problemText(status: number, title: string, detail: string, more: object = {}): string {
  return JSON.stringify({ type: 'about:blank', title, status, detail, ...more });
}

export function problem(
  c: Context,
  status: ContentfulStatusCode,
  title: string,
  detail: string,
  headers: Record<string, string> = {},
  more: object = {},
): Response {
  return c.body(problemText(status, title, detail, more), status, {
    'content-type': PROBLEM_TYPE,
    ...headers,
  });
}
