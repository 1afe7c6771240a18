import { expect, test } from 'vitest';
import { Secret } from '../util/secret.ts';
import { createLogger, jsonLine, type LogFormat, textLine } from './log.ts';

function capture(format: LogFormat) {
  const lines: string[] = [];
  const writer = { write: (line: string) => void lines.push(line), flush: async () => true };
  return { lines, log: createLogger({ format, writer, wall: () => 0 }) };
}

test('a JSON entry has time, level and message first, then its fields', () => {
  const { lines, log } = capture('json');
  log.with({ worker: 2 }).warn('odd', { route: 'a', skipped: undefined });
  expect(lines).toEqual([
    '{"time":"1970-01-01T00:00:00.000Z","level":"warn","message":"odd","worker":2,"route":"a"}\n',
  ]);
});

test('an error tells its message and code, a secret is masked, a circular value costs nothing but itself', () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const error = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  expect(JSON.parse(jsonLine(0, 'error', 'm', { error, token: new Secret('hunter2') }))).toMatchObject({
    error: 'refused (ECONNREFUSED)',
    token: '***',
  });
  expect(jsonLine(0, 'error', 'm', { circular })).toContain('"message":"m"');
  expect(textLine(0, 'error', 'm', { circular })).toContain('m (circular=(not representable))');
});

test('a text entry is one short line, and a value of several lines stands below', () => {
  expect(textLine(0, 'info', 'serving', { worker: 1, port: 80 })).toMatch(
    /^\d\d:\d\d:\d\d worker 1: serving \(port=80\)\n$/,
  );
  expect(textLine(0, 'error', 'refused', { file: 'x', why: 'one\ntwo\n' })).toMatch(
    /^\d\d:\d\d:\d\d error: refused \(file=x\)\n +one\n +two\n$/,
  );
});

test('log forging: control characters reach neither the terminal nor a line of their own', () => {
  const evil = 'a\u001b[2J\r\u0007\u009b';
  expect(textLine(0, 'info', evil, { path: evil })).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  expect(jsonLine(0, 'info', 'x\n{"level":"error"}', {}).trimEnd()).not.toContain('\n');
});
