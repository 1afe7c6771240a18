import { type Document, LineCounter, parseDocument, type YAMLError } from 'yaml';
import { type Parsed, syntaxIssue, unparsed } from './source.ts';
import { yamlMistake } from './yaml-mistakes.ts';
import { Unreadable, YamlTree } from './yaml-tree.ts';

/** What YAML takes for no text (1.2.2 §5.1). */
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/** Parses YAML 1.2 with merge keys. `merge: false` for JSON, which has none. */
export function parseYaml(text: string, file: string, options: { merge: boolean } = { merge: true }): Parsed {
  const control = CONTROL.exec(text);
  if (control !== null) {
    const advice = 'remove it, or write it as an escape in "double quotes": "\\x00"';
    const at: [number, number] = [control.index, control.index + 1];
    return {
      source: unparsed(file, text),
      issues: [syntaxIssue('a control character can not stand in a config', at, advice)],
    };
  }
  const counter = new LineCounter();
  try {
    const document = parseDocument(text, {
      ...options,
      lineCounter: counter,
      prettyErrors: false,
      strict: true,
      // The parser compares each key with each other; the tree keeps a set.
      uniqueKeys: false,
    });
    const mistakes = [...document.errors, ...document.warnings];
    if (mistakes.length > 0) return failed(text, file, mistakes, document);
    const tree = new YamlTree(document, options.merge);
    const value = document.contents === null ? null : tree.value(document.contents, 0);
    const source = { file, text, value, find: tree.find.bind(tree), secrets: tree.secrets.bind(tree) };
    return { source, issues: tree.issues };
  } catch (error) {
    if (error instanceof Unreadable) {
      return { source: unparsed(file, text), issues: [syntaxIssue(error.message, error.at, error.advice)] };
    }
    if (error instanceof RangeError) {
      return {
        source: unparsed(file, text),
        issues: [syntaxIssue('this file is nested too deeply', [0, 0])],
      };
    }
    throw error;
  }
}

/** The first mistake is told, and what follows from it on the same lines is not. */
function failed(text: string, file: string, mistakes: readonly YAMLError[], document: Document): Parsed {
  const issues = [];
  let last = -1;
  for (const mistake of mistakes) {
    const issue = yamlMistake(mistake, text, document);
    const line = text.slice(0, issue.at![0]).split('\n').length;
    if (issues.length > 0 && (line <= last + 1 || mistake.code === 'UNEXPECTED_TOKEN')) continue;
    last = line;
    // Everything after an open quote is part of the text.
    if (mistake.code === 'MISSING_CHAR') return { source: unparsed(file, text), issues: [issue] };
    issues.push(issue);
  }
  return { source: unparsed(file, text), issues };
}
