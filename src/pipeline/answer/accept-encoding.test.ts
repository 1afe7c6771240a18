import { describe, expect, it } from 'vitest';
import { chooseCoding } from './accept-encoding.ts';

describe('chooseCoding', () => {
  it.each([
    [undefined, null],
    ['', null],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['GZip', 'gzip'],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip, deflate', 'gzip'],
    ['zstd, gzip', 'zstd'],
    ['gzip;q=1.0, br;q=0.9, zstd;q=0.1', 'gzip'],
    ['br;q=0, zstd;q=0, *', 'gzip'],
    ['*;q=0', null],
    ['*;q=0, gzip;q=0.1', 'gzip'],
    ['identity', null],
    ['identity, gzip;q=0.5', null],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['identity;q=0, gzip;q=0', null],
    ['gzip;q=0.000', null],
    ['gzip ; q=0.5 , br;q=0.4', 'gzip'],
    ['gzip;q=high', null],
    ['deflate, compress', null],
    [', ,gzip,', 'gzip'],
  ])('%s: %s', (accept, coding) => {
    expect(chooseCoding(accept)).toBe(coding);
  });
});
