import bcrypt from 'bcryptjs';
import { expect, test, vi } from 'vitest';
import { BcryptThread } from './bcrypt-thread.ts';

test('the library looks at the clock in each round: where its thread gives way', () => {
  const hash = bcrypt.hashSync('secret', 6);
  const looks = vi.spyOn(Date, 'now');
  try {
    bcrypt.compareSync('secret', hash);
    expect(looks.mock.calls.length).toBeGreaterThanOrEqual(2 ** 6);
  } finally {
    looks.mockRestore();
  }
});

test('a thread answers each check, also after it was closed and begun anew', async () => {
  const thread = new BcryptThread();
  const hash = bcrypt.hashSync('secret', 4);
  const answers = await Promise.all(['secret', 'Secret', ''].map((guess) => thread.compare(guess, hash)));
  expect(answers).toEqual([true, false, false]);
  const cut = thread.compare('secret', bcrypt.hashSync('secret', 12));
  thread.close();
  await expect(cut).rejects.toThrow('the provider was closed');
  expect(await thread.compare('secret', hash)).toBe(true);
  thread.close();
});
