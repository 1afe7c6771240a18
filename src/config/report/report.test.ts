import { describe, expect, test } from 'vitest';
import { loadText } from '../load.ts';
import { issueData, renderIssues } from './report.ts';

const load = (text: string) => loadText(text, { file: 'tidegate.yaml', folder: '.', env: {} });

function report(text: string, colour = false): string {
  const { issues, source } = load(text);
  return renderIssues(issues, source, { colour });
}

const slip = (ending: string) =>
  ['routes:', '  a:', '    match: /a', '    too: b', '    respond: { body: x }', ''].join(ending);

describe('a report', () => {
  test('is the same whatever ends the lines', () => {
    expect(report(slip('\r\n'))).toBe(report(slip('\n')));
    expect(
      report(slip('\n')),
    ).toBe(`tidegate.yaml:4:5: error: "too" is not a key of a route [TG_CONFIG_UNKNOWN_KEY]
   4 |     too: b
     |     ^^^
     = did you mean "to"?
`);
  });

  test('marks the right word behind characters of several bytes', () => {
    expect(report("x-ü: 'ä'\nroutes: { a: { match: '/日本😀', tow: b, respond: { body: x } } }\n")).toContain(
      'tidegate.yaml:2:31:',
    );
  });

  test('has colours only where they are asked for', () => {
    expect(report(slip('\n'))).not.toContain('\x1b');
    expect(report(slip('\n'), true)).toContain('\x1b[31;1merror\x1b[0m');
  });

  test('tells each thing once, in the order of the file', () => {
    const text =
      'routes:\n  b: { match: b, respond: { body: x } }\n  a: { match: /a, too: c, respond: { body: x } }\nlog: 1\n';
    const lines = report(text)
      .split('\n')
      .filter((line) => line.startsWith('tidegate.yaml'));
    expect(lines.map((line) => line.split(':')[1])).toEqual(['2', '3', '4']);
  });

  test('points into what an alias stands for', () => {
    const text = "x-a: &a { match: '/a{', respond: { body: x } }\nroutes: { a: *a }\n";
    expect(report(text)).toContain('tidegate.yaml:1:21: error: the braces hold no name');
  });

  test('points into text of several lines, at the line that is meant', () => {
    const text =
      'routes:\n  a:\n    match:\n      when: |\n        request.path == "/a" ||\n        requst.path == "/b"\n    respond: { body: x }\n';
    expect(report(text)).toContain('tidegate.yaml:6:9: error: there is no variable "requst"');
  });

  test('can be had as data', () => {
    const { issues, source } = load(slip('\n'));
    expect(issueData(issues[0]!, source)).toEqual({
      code: 'TG_CONFIG_UNKNOWN_KEY',
      severity: 'error',
      file: 'tidegate.yaml',
      line: 4,
      column: 5,
      path: 'routes.a.too',
      message: '"too" is not a key of a route',
      advice: 'did you mean "to"?',
    });
  });
});

describe('secrets in a report', () => {
  test('are masked in comments, blocks and files that could not be parsed', () => {
    const text = `admin:
  address: 127.0.0.1:99011
  token: |
    line-one-secret
    line-two-secret
# password: old-secret
routes: { a: { match: /a, respond: { body: x } }, password: old-secret }
`;
    const told = report(text);
    expect(told).toContain('password: ***');
    expect(told).not.toContain('secret');
    expect(report('token: top-secret\nroutes: [\n')).not.toContain('top-secret');
    expect(report('routes: {}\n\ttoken: top-secret\n')).not.toContain('top-secret');
  });

  test('are not what a reference or the path of a key file says', () => {
    const text = "admin: { addres: x, token: '${env.TOKEN:x}' }\nroutes: {}\n";
    expect(report(text)).toContain('token: ***');
    const reference = "admin: { addres: x, token: '${env.HOME}' }\nroutes: {}\n";
    expect(report(reference)).toContain("token: '${env.HOME}'");
  });
});
