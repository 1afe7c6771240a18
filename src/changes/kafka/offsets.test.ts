import { expect, test } from 'vitest';
import { mend } from './offsets.ts';

const range = (committed: bigint | null) => ({ earliest: 10n, latest: 20n, committed });

test('a group goes on where it stands', () => {
  for (const committed of [10n, 15n, 20n]) expect(mend(range(committed), true)).toBeNull();
});

test('a new group begins with what comes, a new partition of a known one at its beginning', () => {
  expect(mend(range(null), false)).toEqual({ offset: 20n, gap: false });
  expect(mend({ ...range(null), earliest: 0n }, true)).toEqual({ offset: 0n, gap: false });
});

test('records that retention deleted before they were read are a gap, and so is a topic made anew', () => {
  for (const committed of [9n, null])
    expect(mend(range(committed), true)).toEqual({ offset: 10n, gap: true });
  expect(mend(range(21n), true)).toEqual({ offset: 10n, gap: true });
});
