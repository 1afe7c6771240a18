import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pairs } from './messages.ts';
import { ourRequests } from './our-requests.ts';
import { validRequest } from './valid-requests.ts';

describe('every valid request', () => {
  it('is taken for what it means, however it is written and cut, alone or behind another', async () => {
    const several = fc.array(validRequest, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(several, fc.array(fc.nat(2000), { maxLength: 5 }), async (requests, offsets) => {
        const bytes = requests.map((one) => one.bytes).join('');
        const cuts = offsets.filter((at) => at < bytes.length).sort((a, b) => a - b);
        const outcome = await ourRequests(bytes, cuts);
        expect(outcome).toMatchObject({ end: 'open', why: '' });
        expect(
          outcome.taken.map((one) => [
            one.what,
            one.target,
            pairs(one.headers),
            one.body,
            pairs(one.trailers),
          ]),
        ).toEqual(requests.map((one) => [one.method, one.target, one.headers, one.body, one.trailers]));
      }),
      { numRuns: 3_000 },
    );
  }, 60_000);

  it('is refused once one control character stands in its head', async () => {
    const control = fc.constantFrom(...Array.from({ length: 32 }, (_, i) => String.fromCharCode(i)), '\x7f');
    await fc.assert(
      fc.asyncProperty(validRequest, fc.nat(), control, async ({ bytes }, place, character) => {
        const begin = bytes.startsWith('\r\n') ? 2 : 0;
        const end = bytes.indexOf('\r\n\r\n', begin);
        const at = begin + (place % (end - begin));
        // A tab or CRLF is at home in some places; all others are at home nowhere.
        fc.pre(!'\t\r\n'.includes(character));
        const outcome = await ourRequests(bytes.slice(0, at) + character + bytes.slice(at), []);
        expect(outcome.taken).toEqual([]);
        expect(outcome.end).toBe('refused');
      }),
      { numRuns: 3_000 },
    );
  }, 60_000);
});
