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

  test.each([
    ['folded', ['>-', "request.mthod == 'GET' ||", '', "request.pth == 'a' ||", '  requst.path == "b"']],
    ['literal', ['|', 'request.mthod == "GET" ||', '  request.pth == "a" ||', 'requst.path == "b"']],
    ['plain', ["request.mthod == 'GET' ||", "request.pth == 'a' ||", 'requst.path == "b"']],
    ['quoted', ['"request.mthod == \\"GET\\" || \\', "request.pth == '\\u00e4' ||", "requst.path == 'b'\""]],
    ['single', ["'request.mthod == ''GET'' ||", "request.pth == ''a'' ||", 'requst.path == "b"\'']],
  ])('marks each word in %s text of several lines', (_, [first, ...lines]) => {
    const indented = lines.map((line) => `        ${line}`);
    const file = [
      'routes:',
      '  a:',
      '    respond: { body: x }',
      '    match:',
      `      when: ${first}`,
      ...indented,
    ];
    const text = `${file.join('\n')}\n`;
    const { issues, source } = load(text);
    const marked = issues.map((issue) => issueData(issue, source)).map(({ line, column }) => [line, column]);
    const placeOf = (word: string) => {
      const line = file.findIndex((one) => one.includes(word));
      return [line + 1, file[line]!.indexOf(word) + 1];
    };
    expect(marked.sort()).toEqual([placeOf('mthod'), placeOf('pth'), placeOf('requst')].sort());
  });

  test('marks the word behind what was filled in, and all of a reference that is wrong', () => {
    const env = { LONG: 'a text', OPERATOR: '===' };
    const text = `routes:
  a: { match: { when: '"\${env.LONG}" == "\${env.LONG}" && request.pth == "b"' }, respond: { body: x } }
  b: { match: { when: 'request.path \${env.OPERATOR} "b"' }, respond: { body: x } }
`;
    const { issues, source } = loadText(text, { file: 'tidegate.yaml', folder: '.', env });
    const shown = renderIssues(issues, source, { colour: false });
    const lines = text.split('\n');
    expect(shown).toContain(
      `tidegate.yaml:2:${lines[1]!.indexOf('pth') + 1}: error: there is no member "pth"`,
    );
    const reference = lines[2]!.indexOf('${env');
    expect(shown).toContain(`tidegate.yaml:3:${reference + 1}: error:`);
    expect(shown).toContain(`\n     | ${' '.repeat(reference)}${'^'.repeat('${env.OPERATOR}'.length)}\n`);
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
  test.each(['abc{s3cret}', 'abc{s3cret.foo(}', '{s3cret', '"s3cret', 's3cret" ++ "'])(
    'are not told in part where they do not fit: %s',
    (secret) => {
      const text = `routes:
  a:
    match: { path: '/\${env.API_TOKEN}', when: 'request.method == "\${env.API_TOKEN}"' }
    respond: { template: '<\${env.API_TOKEN}>' }
`;
      const loaded = loadText(text, { file: 'tidegate.yaml', folder: '.', env: { API_TOKEN: secret } });
      expect(loaded.config).toBeNull();
      const told = renderIssues(loaded.issues, loaded.source, { colour: false });
      expect(told).toContain('what is filled in here does not fit where it stands');
      expect(told).not.toContain('s3cret');
    },
  );

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
