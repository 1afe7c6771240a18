import { describe, expect, it } from 'vitest';
import { filterCookies } from './cookies.ts';

const left = (headers: string[], ...names: string[]) => {
  filterCookies(headers, (name) => names.includes(name));
  return headers;
};

describe('leaving only some cookies', () => {
  it('keeps those that are wanted, in their order, of each line', () => {
    expect(left(['Cookie', 'a=1; b=2; a=3', 'cookie', 'b=4;a=5'], 'a')).toEqual([
      'Cookie',
      'a=1; a=3',
      'cookie',
      'a=5',
    ]);
  });

  it('takes a line away in which none is left, and no other line, though it be empty', () => {
    expect(left(['X-Empty', '', 'Cookie', 'b=2', 'Accept', 'a'])).toEqual(['X-Empty', '', 'Accept', 'a']);
  });

  it('takes a name as it stands, with blanks around it or without a value', () => {
    expect(left(['Cookie', ' a = 1;b ;; aa=2'], 'a', 'b')).toEqual(['Cookie', 'a = 1; b']);
  });
});
