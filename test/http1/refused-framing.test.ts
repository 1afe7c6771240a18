import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectRefused, post, type Refusal, refusal, request, type Stage, stage } from './stage.ts';

const CHUNKED = 'Transfer-Encoding: chunked';
const EMPTY_CHUNKS = '0\r\n\r\n';

function badLength(value: string, name = `a Content-Length of ${JSON.stringify(value)}`): Refusal {
  return refusal(name, 'RFC 9110 §8.6', post([`Content-Length:${value === '' ? '' : ` ${value}`}`], 'hello'));
}

function badCoding(value: string, ...status: number[]): Refusal {
  const bytes = post([`Transfer-Encoding: ${value}`], EMPTY_CHUNKS);
  return refusal(`Transfer-Encoding: ${JSON.stringify(value)}`, 'RFC 9112 §6.1', bytes, ...status);
}

const ROWS: Refusal[] = [
  refusal(
    'Content-Length before chunked (CL.TE)',
    'RFC 9112 §6.3',
    post(['Content-Length: 5', CHUNKED], EMPTY_CHUNKS),
  ),
  refusal(
    'chunked before Content-Length (TE.CL)',
    'RFC 9112 §6.3',
    post([CHUNKED, 'Content-Length: 5'], EMPTY_CHUNKS),
  ),
  refusal(
    'Content-Length: 0 beside chunked',
    'RFC 9112 §6.3',
    post(['Content-Length: 0', CHUNKED], EMPTY_CHUNKS),
  ),
  refusal(
    'two different lengths',
    'RFC 9112 §6.3',
    post(['Content-Length: 5', 'Content-Length: 6'], 'hello'),
  ),
  refusal('two equal lengths', 'RFC 9112 §6.3', post(['Content-Length: 5', 'Content-Length: 5'], 'hello')),
  refusal(
    'two lengths far apart in other spellings',
    'RFC 9112 §6.3',
    post(['content-length: 5', 'X-A: 1', 'CONTENT-LENGTH: 0'], 'hello'),
  ),
  badLength('5, 5'),
  badLength('5,6'),
  badLength('+5'),
  badLength('-5'),
  badLength('-0'),
  badLength('0x5'),
  badLength('5 5'),
  badLength('5.0'),
  badLength('5e0'),
  badLength('5;q=1'),
  badLength('"5"'),
  badLength('five'),
  badLength('', 'an empty Content-Length'),
  badLength('99999999999999999999', 'a Content-Length beyond 64 bits'),
  badLength('18446744073709551621', 'a Content-Length that wraps around to 5'),
  badLength('\xc2\xb25', 'a Content-Length with a digit of another script'),
  refusal('a folded Content-Length', 'RFC 9112 §5.2', post(['Content-Length:', ' 5'], 'hello')),
  refusal(
    'Content-Length with a space before its colon',
    'RFC 9112 §5.1',
    post(['Content-Length : 5'], 'hello'),
  ),
  badCoding('xchunked'),
  badCoding('chunkedx'),
  badCoding('identity'),
  badCoding('chunked, identity'),
  badCoding('identity, chunked', 400, 501),
  badCoding('chunked, chunked'),
  badCoding('chunked,'),
  badCoding('"chunked"'),
  badCoding('chunked;q=0.5', 400, 501),
  badCoding('cow', 400, 501),
  badCoding('cow, chunked', 400, 501),
  badCoding('gzip', 400, 501),
  badCoding('gzip, chunked', 400, 501),
  badCoding('chunked, gzip'),
  badCoding('\x0bchunked'),
  badCoding('chun\x00ked'),
  badCoding('chunked\x0b'),
  refusal('an empty Transfer-Encoding', 'RFC 9112 §6.1', post(['Transfer-Encoding:'], EMPTY_CHUNKS)),
  refusal('two lines of chunked', 'RFC 9112 §6.1', post([CHUNKED, CHUNKED], EMPTY_CHUNKS)),
  refusal(
    'chunked, then identity on a line of its own (TE.TE)',
    'RFC 9112 §6.1',
    post([CHUNKED, 'Transfer-Encoding: identity'], EMPTY_CHUNKS),
  ),
  refusal(
    'cow, then chunked on a line of its own (TE.TE)',
    'RFC 9112 §6.1',
    post(['Transfer-encoding: cow', CHUNKED], EMPTY_CHUNKS),
    400,
    501,
  ),
  refusal(
    'Transfer-Encoding with a space before its colon',
    'RFC 9112 §5.1',
    post(['Transfer-Encoding : chunked'], EMPTY_CHUNKS),
  ),
  refusal(
    'Transfer-Encoding with a tab before its colon',
    'RFC 9112 §5.1',
    post(['Transfer-Encoding\t: chunked'], EMPTY_CHUNKS),
  ),
  refusal(
    'Transfer-Encoding behind a leading space',
    'RFC 9112 §2.2',
    post([' Transfer-Encoding: chunked'], EMPTY_CHUNKS),
  ),
  refusal(
    'a folded Transfer-Encoding',
    'RFC 9112 §5.2',
    post(['Transfer-Encoding:', ' chunked'], EMPTY_CHUNKS),
  ),
  refusal(
    'Transfer-Encoding behind a bare LF',
    'RFC 9112 §2.2',
    post(['X-A: b\nTransfer-Encoding: chunked'], EMPTY_CHUNKS),
  ),
  refusal(
    'Transfer-Encoding behind a bare CR',
    'RFC 9112 §2.2',
    post(['X-A: b\rTransfer-Encoding: chunked'], EMPTY_CHUNKS),
  ),
  refusal('Transfer-Encoding after an empty name', 'RFC 9112 §5', post([': x', CHUNKED], EMPTY_CHUNKS)),
  refusal(
    'a coding in HTTP/1.0',
    'RFC 9112 §6.1',
    request('POST /post HTTP/1.0', ['Host: shop.test', CHUNKED], EMPTY_CHUNKS),
  ),
];

describe('refuses a request whose framing is ambiguous, and ends the connection', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage();
  });
  afterAll(() => on.close());

  it.each(ROWS)('$name ($rfc)', async (row) => {
    await expectRefused(on, row);
    expect(on.origin.violations).toEqual([]);
  });
});
