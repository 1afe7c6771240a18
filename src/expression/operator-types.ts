import type { BinaryOperator } from './syntax.ts';
import {
  BYTES,
  comparable,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  isNumeric,
  join,
  listOf,
  STRING,
  TIMESTAMP,
  type Type,
  UINT,
} from './types.ts';

const ADDABLE = new Set(['int', 'uint', 'double', 'string', 'bytes', 'list', 'timestamp', 'duration']);
const SUBTRACTABLE = new Set(['int', 'uint', 'double', 'timestamp', 'duration']);
const ORDERED = new Set(['int', 'uint', 'double', 'bool', 'string', 'bytes', 'timestamp', 'duration']);

/** The type of `left operator right` for an arithmetic operator; null where it takes no such operands. */
export function arithmeticType(operator: BinaryOperator, left: Type, right: Type): Type | null {
  if (left.kind === 'dyn' || right.kind === 'dyn')
    return withDyn(operator, left.kind === 'dyn' ? right : left);
  if (isNumeric(left) && isNumeric(right)) return numericType(operator, left, right);
  if (operator === '+') return sumType(left, right);
  return operator === '-' ? differenceType(left, right) : null;
}

function withDyn(operator: BinaryOperator, known: Type): Type | null {
  if (known.kind === 'dyn') return DYN;
  if (operator === '%') return known.kind === 'int' || known.kind === 'uint' ? known : null;
  if (operator === '*' || operator === '/') return isNumeric(known) ? DYN : null;
  if (operator === '-') return SUBTRACTABLE.has(known.kind) ? DYN : null;
  if (!ADDABLE.has(known.kind)) return null;
  if (known.kind === 'list') return listOf(DYN);
  return known.kind === 'string' || known.kind === 'bytes' ? known : DYN;
}

function numericType(operator: BinaryOperator, left: Type, right: Type): Type | null {
  if (left.kind === right.kind)
    return operator === '%' && left.kind === 'double'
      ? null
      : left.kind === 'int'
        ? INT
        : left.kind === 'uint'
          ? UINT
          : DOUBLE;
  if (operator === '%') return null;
  return left.kind === 'double' || right.kind === 'double' ? DOUBLE : null;
}

function sumType(left: Type, right: Type): Type | null {
  if (left.kind === 'list' && right.kind === 'list') return listOf(join(left.element, right.element));
  if (left.kind === 'duration' && right.kind === 'timestamp') return TIMESTAMP;
  if (left.kind === 'timestamp') return right.kind === 'duration' ? TIMESTAMP : null;
  if (left.kind !== right.kind) return null;
  return left.kind === 'string'
    ? STRING
    : left.kind === 'bytes'
      ? BYTES
      : left.kind === 'duration'
        ? DURATION
        : null;
}

function differenceType(left: Type, right: Type): Type | null {
  if (left.kind === 'timestamp')
    return right.kind === 'timestamp' ? DURATION : right.kind === 'duration' ? TIMESTAMP : null;
  return left.kind === 'duration' && right.kind === 'duration' ? DURATION : null;
}

/** Can these be compared with `<` and the like? Numbers of any kind, else two of one kind. */
export function isOrdered(left: Type, right: Type): boolean {
  if (left.kind !== 'dyn' && !ORDERED.has(left.kind)) return false;
  if (right.kind !== 'dyn' && !ORDERED.has(right.kind)) return false;
  return comparable(left, right);
}
