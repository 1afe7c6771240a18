import { expect, test } from 'vitest';
import { binlogPositions } from './binlog.ts';
import type { PositionKind } from './contract.ts';
import { feedPositions } from './feed.ts';
import { kafkaPositions } from './topic-offsets.ts';

function covers<Position>(kind: PositionKind<Position>, applied: string, asked: string): boolean {
  const [one, other] = [kind.parse(applied), kind.parse(asked)];
  if (one === null || other === null) throw new Error('not read');
  return kind.covers(one, other);
}

const A = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const B = 'de278ad0-2106-11e4-9f8e-6edd0ca20947';

test.each([
  ['0-1-42', '0-1-42', true],
  ['0-1-42', '0-1-43', false],
  ['0-1-42,1-2-7', '1-2-7', true],
  ['0-1-42', '1-2-7', false],
  ['0-2-50', '0-1-42', true],
  [`${A}:1-42`, `${A}:42`, true],
  [`${A}:1-42`, `${A}:1-43`, false],
  [`${A}:1-5:7-9`, `${A}:6`, false],
  [`${A}:1-5:7-9,${B}:1-3`, `${B}:2-3,${A}:8`, true],
  [`${A}:1-5:mine:1-3`, `${A}:mine:2`, true],
  [`${A}:1-5:mine:1-3`, `${A}:mine:4`, false],
  [`${A}:1-42`, '0-1-1', false],
  ['binlog.000006:10903', 'binlog.000006:10903', true],
  ['binlog.000006:10903', 'binlog.000006:10904', false],
  ['binlog.000007:4', 'binlog.000006:99999', true],
  ['other.000007:4', 'binlog.000006:1', false],
])('MySQL and MariaDB: %s covers %s: %s', (applied, asked, expected) => {
  expect(covers(binlogPositions, applied, asked)).toBe(expected);
});

test.each([
  '',
  '0',
  '0-1',
  'x-y-z',
  '0/16B3748',
  `${A}`,
  `${A}:`,
  `${A}:x y`,
  `${A}:0x1`,
  'binlog:4',
  'binlog.000001:',
  '0-1-1,',
])('MySQL and MariaDB: %j is no position', (text) => {
  expect(binlogPositions.parse(text)).toBeNull();
});

test.each([
  ['a/0@5,a/1@7', 'a/1@7', true],
  ['a/0@5', 'a/0@6', false],
  ['a/0@5', 'a/1@0', false],
  ['a/0@9223372036854775807', 'a/0@9223372036854775806', true],
])('Kafka: %s covers %s: %s', (applied, asked, expected) => {
  expect(covers(kafkaPositions, applied, asked)).toBe(expected);
});

test.each(['', 'a', 'a/0', 'a@1', 'a/x@1', 'a/0@-1', 'a b/0@1'])('Kafka: %j is no position', (text) => {
  expect(kafkaPositions.parse(text)).toBeNull();
});

test("a feed's positions are those of its database", () => {
  expect(covers(feedPositions, '0/35C68778', '0/35C68778')).toBe(true);
  expect(covers(feedPositions, '0/35C68778', '1/0')).toBe(false);
  expect(covers(feedPositions, 'binlog.000002:4', 'binlog.000001:9')).toBe(true);
  expect(covers(feedPositions, 'binlog.000002:4', '0/1')).toBe(false);
});
