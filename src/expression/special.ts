import { type AddressSet, addressError, compileAddresses } from '../util/cidr.ts';
import { compilePattern, type Pattern, PatternError } from '../util/pattern.ts';
import type { Code, Run } from './code.ts';
import type { Compiler } from './compiler.ts';
import { EvaluationFailure } from './failure.ts';
import type { Frame } from './frame.ts';
import { badValue } from './function.ts';
import { argumentsOf, type Call, type Node, nameSpan } from './syntax.ts';
import { accepts, BOOL, listOf, STRING, TIMESTAMP, TYPE, typeName, typeText } from './types.ts';
import { CelType, Timestamp, type Value } from './value.ts';

/** Functions that look at their arguments when the config is loaded. */
export const SPECIAL: Readonly<Record<string, (compiler: Compiler, node: Call) => Code>> = {
  matches: compileMatches,
  inCidr: compileInCidr,
  now: compileNow,
  type: compileType,
};

export function compileSpecial(compiler: Compiler, node: Call): Code {
  return SPECIAL[node.name]!(compiler, node);
}

function takes(compiler: Compiler, node: Call, count: number, usage: string): Node[] | null {
  const args = argumentsOf(node);
  if (args.length === count) return args;
  for (const arg of args) compiler.compile(arg);
  compiler.problem(
    node,
    `${node.name}() has ${args.length < count ? 'too few' : 'too many'} arguments`,
    `write ${usage}`,
  );
  return null;
}

const BROKEN: Run = () => null;

/** `text.matches(r"…")`: is there a match anywhere in the text? */
function compileMatches(compiler: Compiler, node: Call): Code {
  const args = takes(compiler, node, 2, 'text.matches(r"pattern")');
  if (args === null) return { type: BOOL, run: BROKEN };
  const text = compiler.expect(args[0]!, STRING, 'what matches() looks at').run;
  const patternNode = args[1]!;
  if (patternNode.kind !== 'literal' || typeof patternNode.value !== 'string') {
    compiler.problem(
      patternNode,
      'the pattern of matches() must be a literal text',
      'so it is checked when the config is loaded',
    );
    return { type: BOOL, run: BROKEN };
  }
  const pattern = patternOf(compiler, patternNode, patternNode.value);
  if (pattern === null) return { type: BOOL, run: BROKEN };
  const run: Run = (frame) => {
    const value = text(frame);
    if (typeof value !== 'string')
      throw new EvaluationFailure('type', `matches() looks at a text, not at ${typeName(value)}`);
    frame.spendText(value.length * 4);
    return pattern.find(value);
  };
  return { type: BOOL, run };
}

function patternOf(compiler: Compiler, node: Node, source: string): Pattern | null {
  try {
    return compilePattern(source);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    compiler.problem(node, error.message, 'patterns have the syntax of RE2');
    return null;
  }
}

/** `inCidr(ip, "10.0.0.0/8")`, or a list of addresses and ranges. An address that is none is in no range. */
function compileInCidr(compiler: Compiler, node: Call): Code {
  const args = takes(compiler, node, 2, 'inCidr(request.ip, ["10.0.0.0/8"])');
  if (args === null) return { type: BOOL, run: BROKEN };
  const address = compiler.expect(args[0]!, STRING, 'the address of inCidr()').run;
  const ranges = compiler.compile(args[1]!);
  if (!accepts(STRING, ranges.type) && !accepts(listOf(STRING), ranges.type)) {
    compiler.problem(
      args[1]!,
      `the ranges of inCidr() are a text or a list of texts, not ${typeText(ranges.type)}`,
    );
    return { type: BOOL, run: BROKEN };
  }
  const set = ranges.constant === undefined ? null : constantRanges(compiler, args[1]!, ranges.constant);
  const run: Run = (frame) => {
    const ip = address(frame);
    if (typeof ip !== 'string')
      throw new EvaluationFailure('type', `inCidr() takes an address as text, not ${typeName(ip)}`);
    return (set ?? rangesAtRunTime(frame, ranges.run(frame))).has(ip);
  };
  return { type: BOOL, run };
}

function constantRanges(compiler: Compiler, node: Node, value: Value): AddressSet | null {
  const texts = rangeTexts(value);
  const errors = (texts ?? []).map(addressError).filter((error) => error !== null);
  for (const error of errors) compiler.problem(node, error);
  return texts === null || errors.length > 0 ? null : compileAddresses(texts);
}

function rangeTexts(value: Value): string[] | null {
  const list = Array.isArray(value) ? value : [value];
  return list.every((item) => typeof item === 'string') ? list : null;
}

/** Reading a range costs far more than a step. */
const STEPS_PER_RANGE = 50;

function rangesAtRunTime(frame: Frame, value: Value): AddressSet {
  const texts = rangeTexts(value);
  if (texts === null)
    throw new EvaluationFailure('type', 'the ranges of inCidr() are a text or a list of texts');
  frame.spend(texts.length * STEPS_PER_RANGE);
  for (const text of texts) {
    const error = addressError(text);
    if (error !== null) throw badValue(error);
  }
  return compileAddresses(texts);
}

function compileNow(compiler: Compiler, node: Call): Code {
  if (takes(compiler, node, 0, 'now()') === null) return { type: TIMESTAMP, run: BROKEN };
  if (compiler.pure) {
    compiler.problem(
      nameSpan(node),
      'now() can not stand here',
      'the same request must give the same value each time',
    );
  }
  return { type: TIMESTAMP, run: () => new Timestamp(BigInt(Date.now()) * 1_000_000n) };
}

function compileType(compiler: Compiler, node: Call): Code {
  const args = takes(compiler, node, 1, 'type(value)');
  if (args === null) return { type: TYPE, run: BROKEN };
  const { run } = compiler.compile(args[0]!);
  return { type: TYPE, run: (frame) => new CelType(typeName(run(frame))) };
}
