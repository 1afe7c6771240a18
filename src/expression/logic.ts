import { type Code, constantCode, type Run } from './code.ts';
import type { Compiler } from './compiler.ts';
import { contains, equal } from './equality.ts';
import { EvaluationFailure } from './failure.ts';
import { arithmeticType, isOrdered } from './operator-types.ts';
import { ARITHMETIC, compare, negate, notFor } from './operators.ts';
import type { Binary, Conditional, Unary } from './syntax.ts';
import { BOOL, comparable, DYN, join, type Type, typeName, typeText } from './types.ts';
import type { Value } from './value.ts';

export function compileUnary(compiler: Compiler, node: Unary): Code {
  if (node.operator === '!') {
    const { run } = compiler.expect(node.operand, BOOL, 'what stands behind "!"');
    return { type: BOOL, run: (frame) => !bool(run(frame), '!') };
  }
  const operand = compiler.compile(node.operand);
  if (!NEGATABLE.has(operand.type.kind))
    return compiler.problem(node, `"-" does not take ${typeText(operand.type)}`);
  return { type: operand.type, run: (frame) => negate(operand.run(frame)) };
}

const NEGATABLE = new Set(['dyn', 'int', 'double', 'duration']);

export function compileBinary(compiler: Compiler, node: Binary): Code {
  switch (node.operator) {
    case '&&':
      return compileJunction(compiler, node, false);
    case '||':
      return compileJunction(compiler, node, true);
    case '==':
    case '!=':
      return compileEquality(compiler, node, node.operator === '==');
    case 'in':
      return compileIn(compiler, node);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compileOrder(compiler, node, node.operator);
    default:
      return compileArithmetic(compiler, node, node.operator);
  }
}

/**
 * `&&` and `||` don't fail where one side alone decides, whichever it is: a side that is `decisive`
 * absorbs the other's failure. A budget that is used up is never absorbed.
 */
function compileJunction(compiler: Compiler, node: Binary, decisive: boolean): Code {
  const { operator } = node;
  const left = compiler.expect(node.left, BOOL, `each side of "${operator}"`).run;
  const right = compiler.expect(node.right, BOOL, `each side of "${operator}"`).run;
  const run: Run = (frame) => {
    let first: Value;
    try {
      first = left(frame);
      if (typeof first !== 'boolean') throw notBool(operator, first);
    } catch (failure) {
      if (failure instanceof EvaluationFailure && failure.kind === 'budget') throw failure;
      if (right(frame) === decisive) return decisive;
      throw failure;
    }
    if (first === decisive) return decisive;
    return bool(right(frame), operator);
  };
  return { type: BOOL, run };
}

export function bool(value: Value, operator: string): boolean {
  if (typeof value !== 'boolean') throw notBool(operator, value);
  return value;
}

function notBool(operator: string, value: Value): EvaluationFailure {
  return new EvaluationFailure('type', `"${operator}" takes true or false, not ${typeName(value)}`);
}

function compileEquality(compiler: Compiler, node: Binary, wanted: boolean): Code {
  const left = compiler.compile(node.left);
  const right = compiler.compile(node.right);
  if (!comparable(left.type, right.type)) {
    const message = `${typeText(left.type)} and ${typeText(right.type)} are never equal`;
    return compiler.problem(node, message, conversionAdvice(left.type, right.type));
  }
  return { type: BOOL, run: equalityRun(left, right, wanted) };
}

function equalityRun(left: Code, right: Code, wanted: boolean): Run {
  const a = left.run;
  const b = right.run;
  // A constant text or null is equal to nothing but itself.
  const { constant } = right;
  if (typeof constant === 'string' || constant === null) return (frame) => (a(frame) === constant) === wanted;
  return (frame) => equal(frame, a(frame), b(frame)) === wanted;
}

function conversionAdvice(left: Type, right: Type): string | undefined {
  const kinds = [left.kind, right.kind];
  if (kinds.includes('string') && kinds.includes('int')) return 'convert one: int(text), or string(number)';
  return undefined;
}

function compileIn(compiler: Compiler, node: Binary): Code {
  const item = compiler.compile(node.left);
  const collection = compiler.compile(node.right);
  const { type } = collection;
  if (type.kind !== 'list' && type.kind !== 'map' && type.kind !== 'record' && type.kind !== 'dyn') {
    const advice =
      type.kind === 'string' ? 'a part of a text is asked for by text.contains(part)' : undefined;
    return compiler.problem(node, `"in" looks into a list or a map, not into ${typeText(type)}`, advice);
  }
  const inside = type.kind === 'list' ? type.element : type.kind === 'map' ? type.key : DYN;
  if (!comparable(item.type, inside)) {
    return compiler.problem(node, `${typeText(item.type)} is never in a ${type.kind} of ${typeText(inside)}`);
  }
  return { type: BOOL, run: membershipRun(item, collection) };
}

function membershipRun(item: Code, collection: Code): Run {
  const a = item.run;
  const b = collection.run;
  const { constant } = collection;
  if (Array.isArray(constant) && constant.every((element) => typeof element === 'string')) {
    const texts = new Set<Value>(constant);
    return (frame) => texts.has(a(frame));
  }
  return (frame) => {
    const value = a(frame);
    const holder = b(frame);
    const found = contains(frame, value, holder);
    if (found === null) throw notFor('in', value, holder);
    return found;
  };
}

function compileOrder(compiler: Compiler, node: Binary, operator: '<' | '<=' | '>' | '>='): Code {
  const left = compiler.compile(node.left);
  const right = compiler.compile(node.right);
  if (!isOrdered(left.type, right.type)) {
    const message = `"${operator}" does not compare ${typeText(left.type)} with ${typeText(right.type)}`;
    return compiler.problem(node, message, conversionAdvice(left.type, right.type));
  }
  const a = left.run;
  const b = right.run;
  const holds = ORDERS[operator];
  return { type: BOOL, run: (frame) => holds(compare(frame, a(frame), b(frame), operator)) };
}

const ORDERS = {
  '<': (order: number) => order < 0,
  '<=': (order: number) => order <= 0,
  '>': (order: number) => order > 0,
  '>=': (order: number) => order >= 0,
};

function compileArithmetic(compiler: Compiler, node: Binary, operator: keyof typeof ARITHMETIC): Code {
  const left = compiler.compile(node.left);
  const right = compiler.compile(node.right);
  const type = arithmeticType(operator, left.type, right.type);
  if (type === null) {
    const message = `"${operator}" does not take ${typeText(left.type)} and ${typeText(right.type)}`;
    return compiler.problem(
      node,
      message,
      operator === '+' ? conversionAdvice(left.type, right.type) : undefined,
    );
  }
  const a = left.run;
  const b = right.run;
  const compute = ARITHMETIC[operator];
  return { type, run: (frame) => compute(frame, a(frame), b(frame)) };
}

export function compileConditional(compiler: Compiler, node: Conditional): Code {
  const condition = compiler.expect(node.condition, BOOL, 'what stands before "?"');
  const yes = compiler.compile(node.yes);
  const no = compiler.compile(node.no);
  if (!comparable(yes.type, no.type)) {
    const message = `the two sides of ":" are ${typeText(yes.type)} and ${typeText(no.type)}`;
    return compiler.problem(node, message, 'make them one type, or write dyn(…) around one');
  }
  const { run: test } = condition;
  const type = join(yes.type, no.type);
  if (condition.constant !== undefined && yes.constant !== undefined && no.constant !== undefined) {
    return constantCode(type, condition.constant === true ? yes.constant : no.constant);
  }
  return { type, run: (frame) => (bool(test(frame), '?') ? yes.run(frame) : no.run(frame)) };
}
