import { compileCall } from './call.ts';
import { type Code, constantCode, type Run } from './code.ts';
import { EvaluationFailure, type Problem } from './failure.ts';
import type { Frame } from './frame.ts';
import { compileBinary, compileConditional, compileUnary } from './logic.ts';
import { compileIdentifier, compileIndex, compileSelect } from './member.ts';
import { mapKey } from './numbers.ts';
import type { Scope } from './scope.ts';
import type { ListLiteral, MapLiteral, Node } from './syntax.ts';
import { comparable, DYN, join, listOf, mapOf, type Type, typeOfLiteral, typeText } from './types.ts';
import type { Value } from './value.ts';
import { compileVerbatim, type Verbatims } from './verbatim.ts';

/** A variable that a macro binds. There are two places for them in a frame: macros nest two deep. */
export interface Loop {
  readonly name: string;
  readonly type: Type;
  readonly slot: 'outer' | 'inner';
}

/**
 * Turns a syntax tree into closures, and finds what is wrong with it on the way: each piece gives its type
 * and what runs it. A piece that has a problem gives `dyn`, so that one slip is told once.
 */
export class Compiler {
  readonly source: string;
  readonly scope: Scope;
  /** Refuses `now()`. */
  readonly pure: boolean;
  readonly problems: Problem[] = [];
  readonly mentions = new Set<string>();
  readonly loops: Loop[] = [];
  /** What is put into the result as it is. */
  verbatim: Verbatims | null = null;
  /** Pieces compiled so far: what one iteration of a loop costs is how many its body has. */
  weight = 0;

  constructor(source: string, scope: Scope, pure: boolean) {
    this.source = source;
    this.scope = scope;
    this.pure = pure;
  }

  compile(node: Node): Code {
    this.weight++;
    switch (node.kind) {
      case 'literal':
        return constantCode(typeOfLiteral(node.value), node.value);
      case 'identifier':
        return compileIdentifier(this, node);
      case 'select':
        return this.verbatim?.get(node) === 'body' ? compileVerbatim(this, node) : compileSelect(this, node);
      case 'index':
        return compileIndex(this, node);
      case 'call':
        return compileCall(this, node);
      case 'list':
        return this.list(node);
      case 'map':
        return this.map(node);
      case 'unary':
        return compileUnary(this, node);
      case 'binary':
        return compileBinary(this, node);
      case 'conditional':
        return compileConditional(this, node);
    }
  }

  problem(
    span: { readonly start: number; readonly end: number },
    message: string,
    advice?: string | null,
  ): Code {
    const { start, end } = span;
    this.problems.push(
      typeof advice === 'string' ? { message, start, end, advice } : { message, start, end },
    );
    return { type: DYN, run: neverRun };
  }

  /** Compiles, and asks for a type that can be `wanted`. */
  expect(node: Node, wanted: Type, what: string): Code {
    const code = this.compile(node);
    if (code.type.kind === 'dyn' || code.type.kind === wanted.kind) return code;
    return this.problem(node, `${what} must be ${typeText(wanted)}, not ${typeText(code.type)}`);
  }

  private list(node: ListLiteral): Code {
    const codes = node.items.map((item) => this.compile(item));
    let element: Type | null = null;
    for (const { type } of codes)
      element = element === null ? type : comparable(element, type) ? join(element, type) : DYN;
    const runs = codes.map((code) => code.run);
    const run: Run = (frame) => runs.map((item) => item(frame));
    return folded(listOf(element ?? DYN), run, codes);
  }

  private map(node: MapLiteral): Code {
    const keys: Code[] = [];
    const values: Code[] = [];
    for (const [keyNode, valueNode] of node.entries) {
      const key = this.compile(keyNode);
      if (!KEYS.has(key.type.kind))
        this.problem(keyNode, `the key of a map can not be ${typeText(key.type)}`, 'use a text');
      keys.push(key);
      values.push(this.compile(valueNode));
    }
    this.reportTwins(node, keys);
    const keyType = keys.map((key) => key.type).reduce((all, type) => join(all, type), keys[0]?.type ?? DYN);
    const valueType = values
      .map((value) => value.type)
      .reduce((all, type) => join(all, type), values[0]?.type ?? DYN);
    return folded(mapOf(keyType, valueType), mapRun(keys, values), [...keys, ...values]);
  }

  private reportTwins(node: MapLiteral, keys: readonly Code[]): void {
    const seen = new Set<Value>();
    keys.forEach((key, i) => {
      if (key.constant === undefined) return;
      const name = mapKey(key.constant);
      if (seen.has(name))
        this.problem(node.entries[i]![0], `the key ${String(name)} stands twice in this map`);
      seen.add(name);
    });
  }
}

const KEYS = new Set(['dyn', 'bool', 'int', 'uint', 'string']);

function mapRun(keys: readonly Code[], values: readonly Code[]): Run {
  const runs = keys.map((key, i) => [key.run, values[i]!.run] as const);
  return (frame) => {
    const map = new Map<Value, Value>();
    for (const [keyRun, valueRun] of runs) {
      const written = keyRun(frame);
      const key = typeof written === 'number' ? null : mapKey(written);
      if (key === null)
        throw new EvaluationFailure('type', 'the key of a map must be a text, an integer or a bool');
      if (map.has(key)) throw new EvaluationFailure('value', `the key ${String(key)} stands twice in a map`);
      map.set(key, valueRun(frame));
    }
    return map;
  };
}

/** What is made of constants alone is made once. */
function folded(type: Type, run: Run, parts: readonly Code[]): Code {
  if (parts.some((part) => part.constant === undefined)) return { type, run };
  try {
    return constantCode(type, run(NO_FRAME));
  } catch {
    return { type, run };
  }
}

/** Literals read nothing of the frame they run in. */
const NO_FRAME = null as unknown as Frame;

function neverRun(): never {
  throw new EvaluationFailure('type', 'the expression has problems');
}
