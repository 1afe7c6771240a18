import type { Code } from './code.ts';
import { Compiler } from './compiler.ts';
import { ExpressionError, type FailureOrigin, type Problem } from './failure.ts';
import { originOf } from './mentions.ts';
import { parseHole } from './parse.ts';
import type { Scope } from './scope.ts';
import type { Node } from './syntax.ts';

/** What a template consists of, in order. */
export type Part = LiteralPart | Hole;

export interface LiteralPart {
  readonly kind: 'literal';
  /** With `{{` and `}}` already single. */
  readonly text: string;
  /** Offset of its beginning in the source. */
  readonly start: number;
}

/** `{CEL}`. */
export interface Hole {
  readonly kind: 'hole';
  readonly code: Code;
  readonly node: Node;
  readonly mentions: ReadonlySet<string>;
  readonly origin: FailureOrigin;
  /** Of the braces and what is between them. */
  readonly start: number;
  readonly end: number;
}

/** Splits a template and compiles what stands in its braces. Throws an ExpressionError with all problems. */
export function compileParts(source: string, scope: Scope, pure: boolean): Part[] {
  const problems: Problem[] = [];
  const parts: Part[] = [];
  let at = 0;
  while (at < source.length) {
    const literal = readLiteral(source, at, problems);
    if (literal.text !== '') parts.push({ kind: 'literal', text: literal.text, start: at });
    at = literal.end;
    if (at >= source.length) break;
    const hole = readHole(source, at, scope, pure, problems);
    if (hole.part !== null) parts.push(hole.part);
    at = hole.end;
  }
  if (problems.length > 0) throw new ExpressionError(problems);
  return parts;
}

/** Text up to the next hole. */
function readLiteral(source: string, from: number, problems: Problem[]): { text: string; end: number } {
  let text = '';
  let at = from;
  for (;;) {
    const next = source.slice(at).search(/[{}]/);
    if (next < 0) return { text: text + source.slice(at), end: source.length };
    const brace = at + next;
    text += source.slice(at, brace);
    const character = source[brace]!;
    const doubled = source[brace + 1] === character;
    if (character === '{' && !doubled) return { text, end: brace };
    if (!doubled)
      problems.push({
        message: 'this "}" closes nothing',
        start: brace,
        end: brace + 1,
        advice: 'write }} for a brace as it is',
      });
    text += character;
    at = brace + (doubled ? 2 : 1);
  }
}

function readHole(
  source: string,
  start: number,
  scope: Scope,
  pure: boolean,
  problems: Problem[],
): { part: Hole | null; end: number } {
  try {
    const { node, brace } = parseHole(source, start + 1);
    const compiler = new Compiler(source, scope, pure);
    const code = compiler.compile(node);
    problems.push(...compiler.problems);
    const { mentions } = compiler;
    const end = brace + 1;
    return { part: { kind: 'hole', code, node, mentions, origin: originOf(mentions), start, end }, end };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    problems.push(...error.problems.map((problem) => withBraceAdvice(source, start, problem)));
    const close = source.indexOf('}', error.problems[0]!.end);
    return { part: null, end: close < 0 ? source.length : close + 1 };
  }
}

function withBraceAdvice(source: string, start: number, problem: Problem): Problem {
  if (problem.advice !== undefined || source.indexOf('}', start) >= 0) return problem;
  return { ...problem, advice: 'close the expression with "}", or write {{ for a brace as it is' };
}

export function mentionsOf(parts: readonly Part[]): Set<string> {
  const mentions = new Set<string>();
  for (const part of parts) if (part.kind === 'hole') for (const path of part.mentions) mentions.add(path);
  return mentions;
}
