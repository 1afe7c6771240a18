import { describe, expect, test } from 'vitest';
import {
  type CacheStatusParams,
  cacheGroups,
  cacheStatus,
  invalidatedBy,
  invalidatedGroups,
} from '../../../src/cache/policy/index.ts';
import { head } from './subjects.ts';

describe('RFC 9111 §4.4: invalidating stored responses', () => {
  const URL_ = 'https://a.example/x/y?q=1';
  const by = (method: string, status: number, ...lines: string[]) =>
    invalidatedBy({ method, status, requestUrl: URL_, responseHeaders: head(...lines) });
  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'FOO'])(
    'the target URI MUST be invalidated by a non-error response to %s',
    (method) => {
      expect(by(method, 200)).toEqual([URL_]);
    },
  );
  test.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY'])(
    'a safe method invalidates nothing: %s',
    (method) => {
      expect(by(method, 200, 'Location: /z')).toEqual([]);
    },
  );
  test.each([200, 201, 204, 299, 301, 303, 399])('a non-error response is 2xx or 3xx: %d', (status) => {
    expect(by('POST', status)).toEqual([URL_]);
  });
  test.each([101, 400, 404, 500, 503])('an error invalidates nothing: %d', (status) =>
    expect(by('POST', status)).toEqual([]),
  );
  test.each<[string, string, string[]]>([
    ['Location', 'Location: https://a.example/z', ['https://a.example/z']],
    ['Content-Location', 'Content-Location: https://a.example/z', ['https://a.example/z']],
    ['a relative reference', 'Location: z', ['https://a.example/x/z']],
    ['an absolute path', 'Location: /z?b', ['https://a.example/z?b']],
    ['the default port is the same origin', 'Location: https://a.example:443/z', ['https://a.example/z']],
    ['a host in capitals is the same origin', 'Location: https://A.EXAMPLE/z', ['https://a.example/z']],
    ['a fragment is left out', 'Location: /z#f', ['https://a.example/z']],
    ['MUST NOT be invalidated if the host differs', 'Location: https://b.example/z', []],
    ['MUST NOT be invalidated if the scheme differs', 'Location: http://a.example/z', []],
    ['MUST NOT be invalidated if the port differs', 'Location: https://a.example:8443/z', []],
    ['a reference with another host', 'Content-Location: //b.example/z', []],
    ['what is no URI is ignored', 'Location: https://[', []],
    ['the target itself is named once', 'Content-Location: /x/y?q=1', []],
  ])('%s', (_, line, more) => expect(by('POST', 201, line)).toEqual([URL_, ...more]));
});

describe('RFC 9875: cache groups', () => {
  test.each<[string, string[], string[]]>([
    ['§2: a list of strings', ['Cache-Groups: "a", "b c"'], ['a', 'b c']],
    ['§2: several lines', ['Cache-Groups: "a"', 'Cache-Groups: "b"'], ['a', 'b']],
    ['§2: groups are compared with case', ['Cache-Groups: "a", "A"'], ['a', 'A']],
    ['§2: each once', ['Cache-Groups: "a", "a"'], ['a']],
    ['§2: parameters are ignored', ['Cache-Groups: "a";x=1'], ['a']],
    ['§2: escapes are read', ['Cache-Groups: "a\\"b"'], ['a"b']],
    ['a token is no string', ['Cache-Groups: a'], []],
    ['a malformed field names none', ['Cache-Groups: "a", "b'], []],
    ['an absent field names none', [], []],
  ])('%s', (_, lines, groups) => expect(cacheGroups(head(...lines))).toEqual(groups));

  const responseHeaders = head('Cache-Group-Invalidation: "a", "b"');
  test('§3: an answer to an unsafe method invalidates groups', () => {
    expect(invalidatedGroups({ method: 'POST', responseHeaders })).toEqual(['a', 'b']);
  });
  test.each(['GET', 'HEAD', 'OPTIONS'])('§3: MUST be ignored on responses to safe methods: %s', (method) => {
    expect(invalidatedGroups({ method, responseHeaders })).toEqual([]);
  });
});

describe('RFC 9211 §2: Cache-Status', () => {
  test.each<[CacheStatusParams, string]>([
    [{ hit: true, ttl: 42 }, 'tidegate; hit; ttl=42'],
    [{ hit: true, ttl: 42.9 }, 'tidegate; hit; ttl=42'],
    [{ hit: true, ttl: -0.5 }, 'tidegate; hit; ttl=-1'],
    [{ hit: true, ttl: Number.POSITIVE_INFINITY }, 'tidegate; hit'],
    [{ hit: true, fwd: 'stale' }, 'tidegate; hit'],
    [{ fwd: 'uri-miss', fwdStatus: 200, stored: true }, 'tidegate; fwd=uri-miss; fwd-status=200; stored'],
    [{ fwd: 'miss', collapsed: true }, 'tidegate; fwd=miss; collapsed'],
    [
      { fwd: 'stale', fwdStatus: 304, ttl: 60, stored: true },
      'tidegate; fwd=stale; fwd-status=304; stored; ttl=60',
    ],
    [{ fwd: 'bypass', detail: 'behind' }, 'tidegate; fwd=bypass; detail=behind'],
    [{ fwd: 'bypass', detail: 'two words' }, 'tidegate; fwd=bypass; detail="two words"'],
    [{ fwd: 'bypass', detail: 'a"b\\c\n' }, 'tidegate; fwd=bypass; detail="a\\"b\\\\c"'],
    [{ hit: true, key: 'a b' }, 'tidegate; hit; key="a b"'],
    [{}, 'tidegate'],
  ])('%o', (params, text) => expect(cacheStatus(params)).toBe(text));
});
