import { type Parsed, syntaxIssue, unparsed } from './source.ts';
import { parseYaml } from './yaml.ts';

/** Parses strict JSON; where things stand is told by the YAML parser, of which JSON is a part. */
export function parseJson(text: string, file: string): Parsed {
  try {
    JSON.parse(text);
  } catch (error) {
    return { source: unparsed(file, text), issues: [jsonMistake(String((error as Error).message), text)] };
  }
  return parseYaml(text, file, { merge: false });
}

function jsonMistake(message: string, text: string) {
  const start = text.length - text.trimStart().length;
  const end = text.trimEnd().length;
  const position = /position (\d+)/.exec(message)?.[1];
  const offset = position === undefined ? end : Math.min(Number(position), end);
  const before = text.slice(0, offset).trimEnd();
  const found = text[offset];
  if (!/^\s*[[{"'/#]/.test(text))
    return syntaxIssue('this is not JSON', [start, start + 1], 'a config in JSON begins with {');
  if (found === undefined || offset >= end) {
    return syntaxIssue('the file ends too early', [end, end], 'a closing bracket or quote is missing');
  }
  if (/[}\]]/.test(found) && before.endsWith(',')) {
    return syntaxIssue(
      'a comma stands before the closing bracket',
      [before.length - 1, before.length],
      'JSON has no trailing commas',
    );
  }
  if (found === '/' || found === '#')
    return syntaxIssue('JSON has no comments', [offset, offset + 1], 'a .yaml file may have them');
  if (found === "'") return syntaxIssue('JSON text stands in double quotes', [offset, offset + 1]);
  if (/property name/.test(message))
    return syntaxIssue('a key in double quotes is expected here', [offset, offset + 1]);
  if (/[\n\r\t]/.test(found))
    return syntaxIssue('text cannot go over the end of a line', [offset, offset + 1]);
  if (/after/.test(message))
    return syntaxIssue('a comma or a closing bracket is missing before this', [offset, offset + 1]);
  return syntaxIssue(`this is not JSON: ${JSON.stringify(found)} is not expected here`, [offset, offset + 1]);
}
