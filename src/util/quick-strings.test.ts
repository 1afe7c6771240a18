import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const GUARD = new URL('./quick-strings.ts', import.meta.url).href;

/** Are the methods of strings quick in a process that has run this? */
function quickAfter(code: string): boolean {
  const script = `${code}; console.log(%HasFastProperties(String.prototype));`;
  const flags = ['--allow-natives-syntax', '--input-type=module', '--no-warnings'];
  const output = execFileSync(process.execPath, [...flags, '-e', script], {
    encoding: 'utf8',
    cwd: new URL('../..', import.meta.url).pathname,
    timeout: 20_000,
  });
  return output.trim() === 'true';
}

describe('the methods of strings', () => {
  const extend = 'class Text extends String {}; new Text("a").length';

  it('grow slow by a class that extends String, unless they were kept', () => {
    expect(quickAfter(extend)).toBe(false);
    expect(quickAfter(`(await import('${GUARD}')).keepStringsQuick(); ${extend}`)).toBe(true);
  });

  it.each(['ioredis', 'pg', 'mysql2', '@vlasky/zongji', '@nats-io/transport-node', '@platformatic/kafka'])(
    'stay quick beside %s',
    (library) => {
      expect(quickAfter(`(await import('${GUARD}')).keepStringsQuick(); await import('${library}')`)).toBe(
        true,
      );
    },
  );
});
