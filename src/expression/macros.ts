import type { Code, Run } from './code.ts';
import type { Compiler, Loop } from './compiler.ts';
import { EvaluationFailure } from './failure.ts';
import type { Frame } from './frame.ts';
import { bool } from './logic.ts';
import { compilePresence, memberName } from './member.ts';
import type { Call, Node } from './syntax.ts';
import { BOOL, DYN, LIST, listOf, STRING, type Type, typeName, typeText } from './types.ts';
import { hasMembers, type Value } from './value.ts';

const COMPREHENSIONS = ['all', 'exists', 'exists_one', 'existsOne', 'map', 'filter'] as const;
type Comprehension = (typeof COMPREHENSIONS)[number];

export const MACROS: readonly string[] = ['has', ...COMPREHENSIONS];

/** How deep loops may nest: the work is the product of their lengths. */
const MAX_NESTING = 2;

export function isMacro(node: Call): boolean {
  if (node.name === 'has') return node.receiver === null;
  return node.receiver !== null && COMPREHENSIONS.some((name) => name === node.name);
}

export function compileMacro(compiler: Compiler, node: Call): Code {
  return node.name === 'has'
    ? compileHas(compiler, node)
    : compileComprehension(compiler, node, node.name as Comprehension);
}

function compileHas(compiler: Compiler, node: Call): Code {
  const [arg] = node.args;
  const name = arg === undefined ? null : memberName(arg);
  if (
    node.args.length !== 1 ||
    arg === undefined ||
    name === null ||
    (arg.kind !== 'select' && arg.kind !== 'index')
  ) {
    return compiler.problem(node, 'has() asks for one member', 'write has(value.name) or has(value["name"])');
  }
  const span = arg.kind === 'select' ? { start: arg.nameStart, end: arg.end } : arg.index;
  return { type: BOOL, run: compilePresence(compiler, arg, arg.base, name, span) };
}

function compileComprehension(compiler: Compiler, node: Call, name: Comprehension): Code {
  const range = compiler.compile(node.receiver!);
  const most = name === 'map' ? 3 : 2;
  const [variable, ...bodies] = node.args;
  if (variable?.kind !== 'identifier' || node.args.length < 2 || node.args.length > most) {
    const usage =
      name === 'map' ? 'list.map(x, value) or list.map(x, condition, value)' : `list.${name}(x, condition)`;
    return compiler.problem(
      node,
      `${node.name}() takes the name of a variable and ${name === 'map' ? 'a value' : 'a condition'}`,
      `write ${usage}`,
    );
  }
  if (!ITERABLE.has(range.type.kind)) {
    return compiler.problem(
      node.receiver!,
      `${name}() goes over a list or a map, not over ${typeText(range.type)}`,
    );
  }
  if (compiler.loops.length >= MAX_NESTING) {
    return compiler.problem(
      node,
      `${name}() nests more than ${MAX_NESTING} loops`,
      'at most two loops may stand inside each other',
    );
  }
  const slot = compiler.loops.length === 0 ? 'outer' : 'inner';
  const loop: Loop = { name: variable.name, type: itemType(range.type), slot };
  const before = compiler.weight;
  compiler.loops.push(loop);
  const codes = bodies.map((body, i) =>
    compileBody(compiler, body, name === 'map' && i === bodies.length - 1),
  );
  compiler.loops.pop();
  const items = itemsRun(range.run, name, slot, compiler.weight - before);
  return comprehension(name, items, range.type, codes);
}

const ITERABLE = new Set(['dyn', 'list', 'map', 'record']);

function compileBody(compiler: Compiler, body: Node, isValue: boolean): Code {
  return isValue ? compiler.compile(body) : compiler.expect(body, BOOL, 'the condition of a loop');
}

function itemType(range: Type): Type {
  if (range.kind === 'list') return range.element;
  if (range.kind === 'record') return STRING;
  return range.kind === 'map' ? range.key : DYN;
}

/** Calls `visit` with each item in the loop's variable, until it says false. */
type Each = (frame: Frame, visit: (item: Value) => boolean) => void;

/** Each round pays for all of its body. A loop inside another may run again before it is left: its place is kept. */
function itemsRun(range: Run, name: string, slot: 'outer' | 'inner', weight: number): Each {
  return (frame, visit) => {
    const items = itemsOf(frame, range(frame), name);
    const kept = frame[slot];
    for (const item of items) {
      frame.spend(weight + 1);
      frame[slot] = item;
      if (!visit(item)) break;
    }
    frame[slot] = kept;
  };
}

function itemsOf(frame: Frame, range: Value, name: string): Iterable<Value> {
  if (Array.isArray(range)) return range;
  if (!hasMembers(range))
    throw new EvaluationFailure('type', `${name}() goes over a list or a map, not over ${typeName(range)}`);
  if (range instanceof Map) return range.keys();
  const names: Value[] = [];
  for (const [key] of range.entries()) names.push(key);
  frame.spend(names.length);
  return names;
}

function comprehension(name: Comprehension, each: Each, range: Type, codes: readonly Code[]): Code {
  const [first, second] = codes as [Code, Code | undefined];
  switch (name) {
    case 'all':
      return { type: BOOL, run: quantifierRun(each, first.run, false) };
    case 'exists':
      return { type: BOOL, run: quantifierRun(each, first.run, true) };
    case 'exists_one':
    case 'existsOne':
      return { type: BOOL, run: (frame) => filtered(frame, each, first.run).length === 1 };
    case 'filter':
      return {
        type: range.kind === 'list' ? range : range.kind === 'map' ? listOf(range.key) : LIST,
        run: (frame) => filtered(frame, each, first.run),
      };
    case 'map':
      return second === undefined
        ? { type: listOf(first.type), run: (frame) => mapped(frame, each, null, first.run) }
        : { type: listOf(second.type), run: (frame) => mapped(frame, each, first.run, second.run) };
  }
}

/**
 * `all` ends with the first false, `exists` with the first true; as with && and ||, a failure counts only
 * if no other item decides.
 */
function quantifierRun(each: Each, condition: Run, decisive: boolean): Run {
  return (frame) => {
    let decided = false;
    let failure: unknown;
    each(frame, () => {
      try {
        decided = bool(condition(frame), decisive ? 'exists' : 'all') === decisive;
      } catch (error) {
        if (error instanceof EvaluationFailure && error.kind === 'budget') throw error;
        failure ??= error;
      }
      return !decided;
    });
    if (!decided && failure !== undefined) throw failure;
    return decided === decisive;
  };
}

function filtered(frame: Frame, each: Each, condition: Run): Value[] {
  const kept: Value[] = [];
  each(frame, (item) => {
    if (bool(condition(frame), 'filter')) kept.push(item);
    return true;
  });
  return kept;
}

function mapped(frame: Frame, each: Each, condition: Run | null, value: Run): Value[] {
  const values: Value[] = [];
  each(frame, () => {
    if (condition === null || bool(condition(frame), 'map')) values.push(value(frame));
    return true;
  });
  return values;
}
