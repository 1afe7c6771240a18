import fc from 'fast-check';
import { expect, test } from 'vitest';
import { entryOf } from '../fixtures.ts';
import {
  answerFromEntry,
  cacheGroups,
  judgeStorable,
  judgeUse,
  STANDARD_POLICY,
  scanRequest,
} from './index.ts';

const NOW = Date.UTC(2026, 0, 1);
const ENTRY = entryOf({ headers: ['ETag', '"a"'], body: Buffer.alloc(1000), etag: '"a"' }, NOW);
const REQUEST = [
  'Cache-Control',
  'Pragma',
  'Range',
  'If-Range',
  'If-None-Match',
  'If-Modified-Since',
  'Accept-Encoding',
];
const RESPONSE = [
  'Cache-Control',
  'CDN-Cache-Control',
  'Cache-Groups',
  'Vary',
  'Expires',
  'Age',
  'Date',
  'ETag',
  'Connection',
];

function runAll(value: string): void {
  const requestHeaders = REQUEST.flatMap((name) => [name, value]);
  const responseHeaders = RESPONSE.flatMap((name) => [name, value]);
  const base = {
    method: 'GET',
    authenticated: false,
    hasCookie: false,
    status: 200,
    policy: STANDARD_POLICY,
  };
  judgeStorable({ ...base, requestHeaders, responseHeaders, requestAt: NOW, responseAt: NOW });
  cacheGroups(responseHeaders);
  judgeUse(ENTRY, scanRequest(requestHeaders), NOW, STANDARD_POLICY);
  for (const name of ['Range', 'If-None-Match', 'If-Modified-Since'])
    answerFromEntry(ENTRY, scanRequest([name, value]), 'GET', NOW, () => 'sep');
}

test.each([
  ',',
  ' ',
  '"',
  '\\',
  '=',
  '"a",',
  'a=',
  'a="',
  'W/',
  '-',
  'bytes=0-1,',
  '(',
  ';',
  'a;',
  ' ,',
  '1',
  '\\"',
  'a ',
])('a long run of %o is judged in linear time', (part) => {
  const seconds = (length: number) => {
    const value = part.repeat(length / part.length);
    const begun = process.cpuUsage().user;
    runAll(value);
    return (process.cpuUsage().user - begun) / 1e6;
  };
  seconds(1000);
  // Quadratic work over this length takes seconds.
  expect(seconds(200_000)).toBeLessThan(1);
});

test('no value of any field makes it throw', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab=,;"\\()?:1.-* %@W/ \t') });
  fc.assert(
    fc.property(text, (value) => {
      for (const start of ['', 'bytes=', 'max-age=']) runAll(start + value);
    }),
  );
});

test('a range answer holds the very bytes it names', () => {
  const content = Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 0xff));
  const entry = { ...ENTRY, body: content };
  fc.assert(
    fc.property(fc.nat(1100), fc.nat(1100), (first, last) => {
      const { status, body } = answerFromEntry(
        entry,
        scanRequest(['Range', `bytes=${first}-${last}`]),
        'GET',
        NOW,
        () => 'sep',
      );
      if (last < first) return status === 200;
      if (first >= 1000) return status === 416;
      return status === 206 && content.subarray(first, last + 1).equals(body as Buffer);
    }),
  );
});
