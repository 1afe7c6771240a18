import type { Value } from './value.ts';

/** A parsed expression. `start` and `end` are offsets into the source; `depth` counts the levels below. */
export type Node =
  | Literal
  | Identifier
  | Select
  | Index
  | Call
  | ListLiteral
  | MapLiteral
  | Unary
  | Binary
  | Conditional;

interface Spanned {
  readonly start: number;
  readonly end: number;
  readonly depth: number;
}

export interface Literal extends Spanned {
  readonly kind: 'literal';
  readonly value: Value;
}

export interface Identifier extends Spanned {
  readonly kind: 'identifier';
  readonly name: string;
}

export interface Select extends Spanned {
  readonly kind: 'select';
  readonly base: Node;
  readonly name: string;
  readonly nameStart: number;
}

export interface Index extends Spanned {
  readonly kind: 'index';
  readonly base: Node;
  readonly index: Node;
}

/** `name(…)`, or `receiver.name(…)`. */
export interface Call extends Spanned {
  readonly kind: 'call';
  readonly receiver: Node | null;
  readonly name: string;
  readonly nameStart: number;
  readonly args: readonly Node[];
}

export interface ListLiteral extends Spanned {
  readonly kind: 'list';
  readonly items: readonly Node[];
}

export interface MapLiteral extends Spanned {
  readonly kind: 'map';
  readonly entries: readonly (readonly [Node, Node])[];
}

export interface Unary extends Spanned {
  readonly kind: 'unary';
  readonly operator: '!' | '-';
  readonly operand: Node;
}

export type BinaryOperator =
  | '||'
  | '&&'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'in'
  | '+'
  | '-'
  | '*'
  | '/'
  | '%';

export interface Binary extends Spanned {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Node;
  readonly right: Node;
}

export interface Conditional extends Spanned {
  readonly kind: 'conditional';
  readonly condition: Node;
  readonly yes: Node;
  readonly no: Node;
}

/** The receiver counts as the first argument. */
export function argumentsOf(node: Call): Node[] {
  return node.receiver === null ? [...node.args] : [node.receiver, ...node.args];
}

export function nameSpan(node: Call): { start: number; end: number } {
  return { start: node.nameStart, end: node.nameStart + node.name.length };
}
