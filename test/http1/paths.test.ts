import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectProblem, request, type Stage, stage } from './stage.ts';

/** What became of a request: the path that the service got, or that the guarded route, or a 400 or 404, took it. */
type Outcome = string | 'guarded' | 400 | 404;

const ROWS: [target: string, outcomes: Outcome[], rfc: string][] = [
  // Dot segments, plain and encoded, are resolved before anything is matched.
  ['/public/../admin/x', ['guarded'], 'RFC 3986 §5.2.4'],
  ['/public/%2e%2e/admin/x', ['guarded'], 'RFC 3986 §6.2.2.2'],
  ['/public/.%2e/admin/x', ['guarded'], 'RFC 3986 §6.2.2.2'],
  ['/public/%2E./admin/x', ['guarded'], 'RFC 3986 §6.2.2.2'],
  ['/../../admin/x', ['guarded', 400], 'RFC 3986 §5.2.4'],
  ['/./admin/x', ['guarded'], 'RFC 3986 §5.2.4'],
  ['/public/./x', ['/public/x'], 'RFC 3986 §5.2.4'],
  ['/public/a/../x', ['/public/x'], 'RFC 3986 §5.2.4'],
  ['/public/x/..', ['/public/', '/public'], 'RFC 3986 §5.2.4'],
  ['/public/x/.', ['/public/x/', '/public/x'], 'RFC 3986 §5.2.4'],
  // Duplicate slashes.
  ['//admin/x', ['guarded', 400], 'RFC 3986 §6.2.3'],
  ['/public//x', ['/public/x'], 'RFC 3986 §6.2.3'],
  ['///public///x', ['/public/x'], 'RFC 3986 §6.2.3'],
  ['/public//../admin/x', ['guarded', '/public/admin/x'], 'RFC 3986 §5.2.4'],
  // Unreserved characters are the same encoded or not; others are not.
  ['/public/%61%7e%2D', ['/public/a~-'], 'RFC 3986 §6.2.2.2'],
  ['/%70ublic/x', ['/public/x'], 'RFC 3986 §6.2.2.2'],
  ['/%61dmin/x', ['guarded'], 'RFC 3986 §6.2.2.2'],
  ['/public/a%3Ab', ['/public/a%3Ab'], 'RFC 3986 §2.2'],
  ['/public/a%2fb', ['/public/a%2fb', '/public/a%2Fb'], 'RFC 3986 §2.2'],
  ['/public/%252e%252e/admin', ['/public/%252e%252e/admin', 400], 'RFC 3986 §2.4'],
  ['/public/caf%C3%A9', ['/public/caf%C3%A9'], 'RFC 3986 §2.5'],
  // An encoded slash that would change the route, or hide an empty or dot segment.
  ['/public/..%2fadmin/x', [400], 'RFC 3986 §2.2'],
  ['/public/%2e%2e%2fadmin/x', [400], 'RFC 3986 §2.2'],
  ['/public/%2e%2e%2Fadmin%2Fx', [400], 'RFC 3986 §2.2'],
  ['/public/a%2F..%2F..%2Fadmin', [400], 'RFC 3986 §2.2'],
  ['/public/%2Fadmin', [400], 'RFC 3986 §2.2'],
  ['/public/a%2F%2Fb', [400], 'RFC 3986 §2.2'],
  ['/admin%2Fx', [400, 404, 'guarded'], 'RFC 3986 §2.2'],
  ['/public%2F..%2Fadmin', [400, 404], 'RFC 3986 §2.2'],
  // Parameters that services cut off.
  ['/public/..;/admin/x', [400], 'RFC 3986 §3.3'],
  ['/public/..;a=b/admin/x', [400], 'RFC 3986 §3.3'],
  ['/public/.;/admin', [400], 'RFC 3986 §3.3'],
  ['/public/%2e%2e;/admin/x', [400], 'RFC 3986 §3.3'],
  ['/public/..%3B/admin/x', [400, '/public/..%3B/admin/x'], 'RFC 3986 §3.3'],
  ['/admin;a=b/x', [400, 404, 'guarded'], 'RFC 3986 §3.3'],
  ['/public/x;a=b', ['/public/x;a=b'], 'RFC 3986 §3.3'],
  // Backslashes, NUL and broken escapes.
  ['/public\\..\\admin', [400], 'RFC 3986 §2'],
  ['/public/..\\admin', [400], 'RFC 3986 §2'],
  ['\\admin', [400], 'RFC 3986 §2'],
  ['/public/%5c..%5cadmin', [400], 'RFC 3986 §2'],
  ['/public/..%5Cadmin', [400], 'RFC 3986 §2'],
  ['/public/%00', [400], 'RFC 3986 §2'],
  ['/public/x%00.html', [400], 'RFC 3986 §2'],
  ['/admin%00/x', [400], 'RFC 3986 §2'],
  ['/public/%zz', [400], 'RFC 3986 §2.1'],
  ['/public/%', [400], 'RFC 3986 §2.1'],
  ['/public/%2', [400], 'RFC 3986 §2.1'],
  // Case counts, and the query is none of the path's business.
  ['/Admin/x', [404], 'RFC 3986 §6.2.2.1'],
  ['/public/x?../../admin', ['/public/x?../../admin'], 'RFC 3986 §3.4'],
  ['/public/x?a=%2e%2F&b=c;d', ['/public/x?a=%2e%2F&b=c;d'], 'RFC 3986 §3.4'],
  ['/public/x?', ['/public/x?', '/public/x'], 'RFC 3986 §3.4'],
  ['/public/x?a?b', ['/public/x?a?b'], 'RFC 3986 §3.4'],
  ['http://shop.test/public/../admin/x', ['guarded'], 'RFC 3986 §5.2.4'],
];

describe('what was matched is what is forwarded: no spelling of a path reaches a service past its guard', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage({
      routes: {
        guarded: { match: '/admin/*', respond: { status: 403, body: 'guarded' } },
        open: { match: '/public/*', to: 'origin' },
      },
    });
  });
  afterAll(() => on.close());

  it.each(ROWS)('%s: %j (%s)', async (target, outcomes) => {
    const before = on.origin.requests.length;
    const client = await on.client();
    await client.send(request(`GET ${target} HTTP/1.1`));
    const response = await client.response();
    client.close();
    const got = on.origin.requests.slice(before).map((one) => one.target);
    if (response.status >= 400 && response.status !== 403) {
      expectProblem(response);
      expect(got).toEqual([]);
    }
    const guarded = response.status === 403 ? 'guarded' : response.status;
    expect(outcomes).toContain(got[0] ?? guarded);
  });
});
