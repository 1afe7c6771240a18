import type { YAMLError } from 'yaml';
import type { ConfigIssue } from '../model.ts';
import { type Range, syntaxIssue } from './source.ts';

/** Says what is wrong with the syntax in words of people who write configs, not parsers. */
export function yamlMistake(error: YAMLError, text: string): ConfigIssue {
  const at: Range = [error.pos[0], Math.max(error.pos[1], error.pos[0] + 1)];
  const rest = text.slice(at[0]);
  const line = text.slice(text.lastIndexOf('\n', at[0] - 1) + 1).split('\n', 1)[0]!;
  switch (error.code) {
    case 'DUPLICATE_KEY': {
      const key = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s:]+)/.exec(rest)?.[0] ?? '';
      return syntaxIssue(
        `the key ${quoted(key)} stands here twice`,
        [at[0], at[0] + key.length],
        'keep one of them',
      );
    }
    case 'TAB_AS_INDENT': {
      const tab = text.indexOf('\t', at[0]);
      return syntaxIssue('a tab indents this line', [tab, tab + 1], 'YAML is indented by spaces');
    }
    case 'MULTIPLE_DOCS':
      return syntaxIssue(
        'a second document begins here',
        [at[0], at[0] + 3],
        'a config is one document: remove the line ---',
      );
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      return syntaxIssue(
        'there is one colon too many here, or the next line is indented too far',
        at,
        'put text with ": " in it in quotes',
      );
    case 'BAD_SCALAR_START':
      return syntaxIssue(`text cannot begin with ${rest[0]}`, at, 'put it in quotes');
    case 'MISSING_CHAR':
      return /quote/.test(error.message)
        ? syntaxIssue('a closing quote is missing', at, 'the text began further up')
        : syntaxIssue(lower(error.message), at);
    case 'BAD_DQ_ESCAPE':
      return syntaxIssue(
        `${error.message.replace('Invalid escape sequence', 'there is no escape')} in "double quotes"`,
        at,
        'in single quotes a backslash is just a backslash',
      );
    case 'TAG_RESOLVE_FAILED':
      return syntaxIssue(
        `"${rest.split(/\s/, 1)[0]}" is a tag that means nothing here`,
        at,
        'put text that begins with ! in quotes',
      );
    case 'BAD_INDENT':
      return /Flow (map|sequence)/.test(error.message)
        ? syntaxIssue(`a closing ${error.message.includes('map') ? '}' : ']'} is missing before this`, at)
        : syntaxIssue(lower(error.message), at);
    case 'UNEXPECTED_TOKEN':
      return syntaxIssue(
        unexpected(line),
        at,
        /[{}]/.test(line) ? 'put text with braces in quotes' : undefined,
      );
    default:
      return syntaxIssue(lower(error.message), at);
  }
}

function unexpected(line: string): string {
  return /[{}[\]"']/.test(line)
    ? 'this does not belong after the value before it'
    : 'this does not fit here: is it indented as the lines around it are?';
}

function quoted(key: string): string {
  return /^["']/.test(key) ? key : `"${key}"`;
}

function lower(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
