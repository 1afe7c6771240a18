import { nearest } from '../util/suggest.ts';
import type { Code, Run } from './code.ts';
import type { Compiler } from './compiler.ts';
import { EvaluationFailure } from './failure.ts';
import type { FunctionEntry, Overload } from './function.ts';
import { FUNCTIONS } from './functions.ts';
import { compileMacro, isMacro, MACROS } from './macros.ts';
import { compileSpecial, SPECIAL } from './special.ts';
import { argumentsOf, type Call, nameSpan } from './syntax.ts';
import { accepts, assures, DYN, isOf, type Type, typeName, typeText } from './types.ts';
import type { Value } from './value.ts';

export function compileCall(compiler: Compiler, node: Call): Code {
  if (isMacro(node)) return compileMacro(compiler, node);
  if (Object.hasOwn(SPECIAL, node.name)) return compileSpecial(compiler, node);
  if (!Object.hasOwn(FUNCTIONS, node.name)) return unknownFunction(compiler, node);
  const entry = FUNCTIONS[node.name]!;
  if (node.receiver === null && entry.style === 'method')
    return wrongStyle(compiler, node, `value.${node.name}(…)`);
  if (node.receiver !== null && entry.style === 'global')
    return wrongStyle(compiler, node, `${node.name}(value)`);
  const args = argumentsOf(node).map((arg) => compiler.compile(arg));
  return compileOverloads(compiler, node, entry, args);
}

function wrongStyle(compiler: Compiler, node: Call, right: string): Code {
  return compiler.problem(nameSpan(node), `${node.name}() is not called so`, `write ${right}`);
}

function unknownFunction(compiler: Compiler, node: Call): Code {
  const near = nearest(node.name, [...Object.keys(FUNCTIONS), ...Object.keys(SPECIAL), ...MACROS]);
  const advice = near === null ? null : `did you mean "${near}"?`;
  const broken = compiler.problem(nameSpan(node), `there is no function "${node.name}"`, advice);
  if (node.receiver !== null) compiler.compile(node.receiver);
  // A misspelt loop would have bound the variable that its arguments name.
  if (near === null || !MACROS.includes(near)) for (const arg of node.args) compiler.compile(arg);
  return broken;
}

function compileOverloads(compiler: Compiler, node: Call, entry: FunctionEntry, args: readonly Code[]): Code {
  const fitting = entry.overloads.filter((candidate) => fits(candidate, args));
  if (fitting.length === 0) return noOverload(compiler, node, entry, args);
  const types = args.map((arg) => arg.type);
  const results = fitting.map((candidate) => resultOf(candidate, types));
  const type = results.every((result) => result.kind === results[0]!.kind) ? results[0]! : DYN;
  const only = fitting.length === 1 ? fitting[0]! : null;
  const sure = only?.params.every((param, i) => assures(param, types[i]!)) ?? false;
  const runs = args.map((arg) => arg.run);
  return { type, run: only !== null && sure ? directRun(only, runs) : dispatchRun(node.name, fitting, runs) };
}

function fits(candidate: Overload, args: readonly Code[]): boolean {
  return (
    candidate.params.length === args.length &&
    candidate.params.every((param, i) => accepts(param, args[i]!.type))
  );
}

function resultOf(candidate: Overload, types: readonly Type[]): Type {
  return typeof candidate.result === 'function' ? candidate.result(types) : candidate.result;
}

function noOverload(compiler: Compiler, node: Call, entry: FunctionEntry, args: readonly Code[]): Code {
  const counts = [...new Set(entry.overloads.map((candidate) => candidate.params.length))];
  const shift = node.receiver === null ? 0 : 1;
  if (!counts.includes(args.length)) {
    const wanted = counts.map((count) => count - shift).join(' or ');
    return compiler.problem(
      node,
      `${node.name}() takes ${wanted} argument${wanted === '1' ? '' : 's'}, not ${args.length - shift}`,
    );
  }
  const given = args.map((arg) => typeText(arg.type)).join(', ');
  const wanted = entry.overloads
    .map((candidate) => `(${candidate.params.map(typeText).join(', ')})`)
    .join(' or ');
  const subject = shift === 1 ? ', what stands before the dot counted first' : '';
  return compiler.problem(node, `${node.name}() does not take (${given})`, `it takes ${wanted}${subject}`);
}

function directRun(target: Overload, runs: readonly Run[]): Run {
  const { run } = target;
  const [a, b] = runs;
  if (runs.length === 1) return (frame) => run(frame, a!(frame));
  if (runs.length === 2) return (frame) => run(frame, a!(frame), b!(frame));
  return (frame) => run(frame, ...runs.map((arg) => arg(frame)));
}

/** Which overload it is shows only in the values. */
function dispatchRun(name: string, candidates: readonly Overload[], runs: readonly Run[]): Run {
  return (frame) => {
    const values: Value[] = runs.map((arg) => arg(frame));
    for (const candidate of candidates) {
      if (candidate.params.every((param, i) => isOf(param, values[i]!)))
        return candidate.run(frame, ...values);
    }
    throw new EvaluationFailure('type', `${name}() does not take (${values.map(typeName).join(', ')})`);
  };
}
