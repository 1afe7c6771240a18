import { nearest } from '../util/suggest.ts';
import { type Code, constantCode, type Run } from './code.ts';
import type { Compiler } from './compiler.ts';
import { EvaluationFailure } from './failure.ts';
import { listIndex, mapKey } from './numbers.ts';
import { asSpelt } from './spelling.ts';
import type { Identifier, Index, Node, Select } from './syntax.ts';
import { DYN, STRING, TYPE, type Type, typeName, typeText } from './types.ts';
import { CelType, type Fields, hasMembers, type Value } from './value.ts';

const TYPE_NAMES: Readonly<Record<string, string>> = {
  int: 'int',
  uint: 'uint',
  double: 'double',
  bool: 'bool',
  string: 'string',
  bytes: 'bytes',
  list: 'list',
  map: 'map',
  type: 'type',
  null_type: 'null_type',
};
const QUALIFIED_TYPES = new Set(['google.protobuf.Timestamp', 'google.protobuf.Duration']);

export function compileIdentifier(compiler: Compiler, node: Identifier): Code {
  const { name } = node;
  const loop = compiler.loops.findLast((candidate) => candidate.name === name);
  if (loop !== undefined) {
    return { type: loop.type, run: loop.slot === 'outer' ? (frame) => frame.outer : (frame) => frame.inner };
  }
  const type = compiler.scope.variables.get(name);
  if (type !== undefined) {
    compiler.mentions.add(name);
    return variable(name, type);
  }
  if (Object.hasOwn(TYPE_NAMES, name)) return constantCode(TYPE, new CelType(name));
  return unknownVariable(compiler, node);
}

function variable(name: string, type: Type): Code {
  const absent = new EvaluationFailure('absent', `there is no "${name}" here`);
  const run: Run = (frame) => {
    const value = frame.variables.get(name);
    if (value === undefined) throw absent;
    return value;
  };
  return { type, run };
}

function unknownVariable(compiler: Compiler, node: Identifier): Code {
  const { name, start } = node;
  const dashed = /([A-Za-z_]\w*)-$/.exec(compiler.source.slice(0, start));
  if (dashed !== null) {
    const advice = `a name with a dash is written ["${dashed[1]}-${name}"]`;
    return compiler.problem(node, `there is no variable "${name}"`, advice);
  }
  const names = [...compiler.loops.map((loop) => loop.name), ...compiler.scope.variables.keys()];
  const near = nearest(name, names);
  const advice =
    near !== null ? `did you mean "${near}"?` : `there are ${names.join(', ')}; a text stands in quotes`;
  return compiler.problem(node, `there is no variable "${name}"`, advice);
}

export function compileSelect(compiler: Compiler, node: Select): Code {
  const qualified = qualifiedName(node);
  if (qualified !== null && QUALIFIED_TYPES.has(qualified)) return constantCode(TYPE, new CelType(qualified));
  return read(compiler, node, node.base, node.name, { start: node.nameStart, end: node.end });
}

export function compileIndex(compiler: Compiler, node: Index): Code {
  if (node.index.kind === 'literal' && typeof node.index.value === 'string') {
    return read(compiler, node, node.base, node.index.value, node.index);
  }
  const base = compiler.compile(node.base);
  const index = compiler.compile(node.index);
  const { kind } = base.type;
  if (kind === 'list' && index.type.kind !== 'dyn' && !INDEXES.has(index.type.kind)) {
    return compiler.problem(node.index, `a list is indexed by a number, not by ${typeText(index.type)}`);
  }
  if (kind !== 'list' && kind !== 'map' && kind !== 'record' && kind !== 'dyn') {
    return compiler.problem(node, `${typeText(base.type)} has no elements`);
  }
  return { type: elementType(base.type), run: indexRun(base.run, index.run) };
}

const INDEXES = new Set(['int', 'uint', 'double']);

function elementType(type: Type): Type {
  if (type.kind === 'list') return type.element;
  return type.kind === 'map' && type.members === undefined ? type.value : DYN;
}

function indexRun(base: Run, index: Run): Run {
  return (frame) => element(base(frame), index(frame));
}

function element(collection: Value, index: Value): Value {
  const found = Array.isArray(collection) ? itemAt(collection, index) : memberAt(collection, index);
  if (found !== undefined) return found;
  const shown = typeof index === 'string' ? `"${index.slice(0, 60)}"` : String(mapKey(index));
  throw new EvaluationFailure('absent', `there is no element ${shown}`);
}

function itemAt(list: readonly Value[], index: Value): Value | undefined {
  const at = listIndex(index);
  if (at === null)
    throw new EvaluationFailure('type', `a list is indexed by a number, not by ${typeName(index)}`);
  return list[at];
}

function memberAt(collection: Value, index: Value): Value | undefined {
  if (!hasMembers(collection)) throw new EvaluationFailure('type', `${typeName(collection)} has no elements`);
  const key = mapKey(index);
  return key === null ? undefined : (collection as ReadonlyMap<Value, Value>).get(key);
}

/** `base.name` and `base["name"]`. */
function read(
  compiler: Compiler,
  node: Node,
  base: Node,
  name: string,
  span: { start: number; end: number },
): Code {
  const member = compileMember(compiler, node, base, name, span);
  if (member === null) return { type: DYN, run: () => null };
  const absent = new EvaluationFailure('absent', `${member.label} has no "${name}"`, member.origin);
  const passedOn = compiler.verbatim?.has(node) ?? false;
  if (member.sure) {
    const { run } = member;
    return {
      type: member.type,
      run: (frame) => {
        const value = (run(frame) as Fields).get(name);
        if (value === undefined) throw absent;
        return value;
      },
    };
  }
  const { run } = member;
  return {
    type: member.type,
    run: (frame) => {
      const holder = run(frame);
      if (!hasMembers(holder)) throw noMembers(holder, name);
      const value = (holder as Fields).get(name);
      if (value === undefined) throw absent;
      return passedOn ? asSpelt(holder, name, value) : value;
    },
  };
}

function noMembers(holder: Value, name: string): EvaluationFailure {
  return new EvaluationFailure('type', `${typeName(holder)} has no member "${name}"`);
}

/** `has(base.name)`: is it there? A fixed member that is null counts as absent. */
export function compilePresence(
  compiler: Compiler,
  node: Node,
  base: Node,
  name: string,
  span: { start: number; end: number },
): Run {
  const member = compileMember(compiler, node, base, name, span);
  if (member === null) return () => false;
  const { run, nullIsAbsent } = member;
  return (frame) => {
    const holder = run(frame);
    if (!hasMembers(holder)) throw noMembers(holder, name);
    const value = (holder as Fields).get(name);
    return value !== undefined && (value !== null || !nullIsAbsent);
  };
}

interface Member {
  readonly type: Type;
  /** Gives what has the member. */
  readonly run: Run;
  /** It is known to have members. */
  readonly sure: boolean;
  readonly nullIsAbsent: boolean;
  readonly label: string;
  readonly origin: 'request' | 'other';
}

/** Compiles the holder of a member and looks the member up in its type; null where that is a problem. */
function compileMember(
  compiler: Compiler,
  node: Node,
  base: Node,
  name: string,
  span: { start: number; end: number },
): Member | null {
  const path = memberPath(compiler, node);
  const known = path === null ? null : new Set(compiler.mentions);
  const holder = compiler.compile(base);
  if (path !== null && known !== null) mention(compiler, path, known);
  const type = memberType(compiler, holder.type, name, span);
  if (type === null) return null;
  const origin = path?.[0] === 'request' || path?.[0] === 'params' ? 'request' : 'other';
  return {
    type,
    run: holder.run,
    sure: holder.type.kind === 'record' || holder.type.kind === 'map',
    nullIsAbsent: holder.type.kind === 'record',
    label: path === null ? 'the value' : path.slice(0, -1).join('.'),
    origin,
  };
}

/** What `request.body.x` reads is `request.body` and `request.body.x`, not the whole of `request`. */
function mention(compiler: Compiler, path: readonly string[], known: ReadonlySet<string>): void {
  if (!known.has(path[0]!)) compiler.mentions.delete(path[0]!);
  for (let length = 2; length <= path.length; length++)
    compiler.mentions.add(path.slice(0, length).join('.'));
}

/** The names from a variable of the scope to a member of it; null for anything else. */
function memberPath(compiler: Compiler, node: Node): string[] | null {
  if (node.kind === 'identifier') {
    const isLoop = compiler.loops.some((loop) => loop.name === node.name);
    return !isLoop && compiler.scope.variables.has(node.name) ? [node.name] : null;
  }
  const name = memberName(node);
  if (name === null) return null;
  const base = memberPath(compiler, (node as Select | Index).base);
  return base === null ? null : [...base, name];
}

export function memberName(node: Node): string | null {
  if (node.kind === 'select') return node.name;
  if (node.kind === 'index' && node.index.kind === 'literal' && typeof node.index.value === 'string')
    return node.index.value;
  return null;
}

function memberType(
  compiler: Compiler,
  holder: Type,
  name: string,
  span: { start: number; end: number },
): Type | null {
  if (holder.kind === 'dyn') return DYN;
  if (holder.kind === 'record') {
    if (Object.hasOwn(holder.members, name)) return holder.members[name]!;
    compiler.problem(
      span,
      `there is no member "${name}" here`,
      memberAdvice(name, Object.keys(holder.members)),
    );
    return null;
  }
  if (holder.kind !== 'map') {
    compiler.problem(span, `${typeText(holder)} has no member "${name}"`, adviceForList(holder, name));
    return null;
  }
  if (holder.lowerCase && name !== name.toLowerCase()) {
    compiler.problem(span, 'names of headers stand in lower case here', `write "${name.toLowerCase()}"`);
    return null;
  }
  if (holder.key.kind !== 'string' && holder.key.kind !== 'dyn') {
    compiler.problem(span, `the keys of this map are ${typeText(holder.key)}, not ${typeText(STRING)}`);
    return null;
  }
  return holder.members !== undefined && Object.hasOwn(holder.members, name)
    ? holder.members[name]!
    : holder.value;
}

/** Whoever reads a member of a list most often means that of its elements. */
function adviceForList(holder: Type, name: string): string | null {
  if (holder.kind !== 'list' || (holder.element.kind !== 'record' && holder.element.kind !== 'map'))
    return null;
  return `it is a list: write .map(x, x.${name}) behind it, or take one element`;
}

function memberAdvice(name: string, members: readonly string[]): string | null {
  const near = nearest(name, members);
  if (near !== null) return `did you mean "${near}"?`;
  return members.length > 0 ? `there are ${members.join(', ')}` : 'it has none';
}

/** `a.b.c` as written, for names that contain dots. */
function qualifiedName(node: Node): string | null {
  if (node.kind === 'identifier') return node.name;
  if (node.kind !== 'select') return null;
  const base = qualifiedName(node.base);
  return base === null ? null : `${base}.${node.name}`;
}
