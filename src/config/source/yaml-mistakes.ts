import { type Document, type Scalar, visit, type YAMLError } from 'yaml';
import type { ConfigIssue } from '../model.ts';
import { type Range, syntaxIssue } from './source.ts';

/** Says what is wrong with the syntax in words of people who write configs, not parsers. */
export function yamlMistake(error: YAMLError, text: string, document: Document): ConfigIssue {
  const at: Range = [error.pos[0], Math.max(error.pos[1], error.pos[0] + 1)];
  const rest = text.slice(at[0]);
  const line = text.slice(text.lastIndexOf('\n', at[0] - 1) + 1).split('\n', 1)[0]!;
  switch (error.code) {
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
    case 'BLOCK_IN_FLOW':
      return syntaxIssue(
        'there is one colon too many here',
        at,
        'put text with ": " in it in quotes, an object in { }',
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
    case 'MISSING_CHAR': {
      if (/followed by map values/.test(error.message))
        return syntaxIssue(
          'this is no key with a value',
          at,
          'write "key: value", with a space after the colon',
        );
      if (!/quote/.test(error.message)) return syntaxIssue(lower(error.message), at);
      const start = openQuote(document, at[0]) ?? at[0];
      return syntaxIssue('the quote that begins here is never closed', [start, start + 1]);
    }
    case 'BAD_ALIAS':
      return syntaxIssue('"*" begins an alias here', at, 'put text that begins with * in quotes');
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
    case 'BAD_INDENT': {
      if (/Flow (map|sequence)/.test(error.message)) {
        return syntaxIssue(
          `a closing ${error.message.includes('map') ? '}' : ']'} is missing before this`,
          at,
        );
      }
      const word = at[0] + (/^\s*/.exec(rest)?.[0].length ?? 0);
      return syntaxIssue(
        'this line is indented otherwise than the lines around it',
        [word, word + 1],
        'keys of one object begin at the same column',
      );
    }
    case 'RESOURCE_EXHAUSTION':
      return syntaxIssue('this is nested too deeply', at);
    case 'UNEXPECTED_TOKEN':
      return syntaxIssue(unexpected(line), at, quotesAdvice(rest));
    default:
      return syntaxIssue(lower(error.message), at);
  }
}

/** Where the text begins whose closing quote is missing. */
function openQuote(document: Document, end: number): number | null {
  let start: number | null = null;
  const look = (_key: unknown, node: Scalar): void => {
    const { range, type } = node;
    if (type?.startsWith('QUOTE') && range && range[0] < end && range[1] >= end - 1) start = range[0];
  };
  visit(document, { Scalar: look });
  return start;
}

function unexpected(line: string): string {
  return /[{}[\]"']/.test(line)
    ? 'this does not belong after the value before it'
    : 'this does not fit here: is it indented as the lines around it are?';
}

/** The character that YAML stumbled over says what should have been in quotes. */
function quotesAdvice(rest: string): string | undefined {
  if (rest.startsWith('{') || rest.startsWith('}')) return 'put text with braces in quotes';
  return rest.startsWith('[') || rest.startsWith(']') ? 'put text with brackets in quotes' : undefined;
}

function lower(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
