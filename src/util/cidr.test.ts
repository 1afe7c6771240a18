import { describe, expect, test } from 'vitest';
import { compileAddresses } from './cidr.ts';

describe('sets of addresses', () => {
  test.each([
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:a01:203', true],
    ['10.1.2.3/8', '10.200.0.1', true],
    ['0.0.0.0/0', '192.0.2.7', true],
    ['0.0.0.0/0', '::ffff:192.0.2.7', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '::1', true],
    ['::/0', 'fe80::1%eth0', true],
    ['::/0', '192.0.2.7', false],
    ['::/0', '::ffff:192.0.2.7', false],
    ['::/64', '192.0.2.7', false],
    ['::ffff:0:0/96', '192.0.2.7', true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['::ffff:10.1.2.3', '10.1.2.3', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['10.0.0.0/8', 'nonsense', false],
    ['10.0.0.0/8', '', false],
  ])('%s with %s: %s', (range, address, held) => {
    expect(compileAddresses([range]).has(address)).toBe(held);
  });
});
