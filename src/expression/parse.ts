import type { BinaryOperator, Node } from './syntax.ts';
import { readToken, syntaxError, type Token } from './tokens.ts';
import { Uint, type Value } from './value.ts';

/** Levels an expression may nest: more would be a stack overflow, not a condition. */
const MAX_DEPTH = 250;

const RELATIONS = new Set(['==', '!=', '<', '<=', '>', '>=', 'in']);
const SUMS = new Set(['+', '-']);
const PRODUCTS = new Set(['*', '/', '%']);

/** Parses a whole text as one expression. Throws an ExpressionError with the first error of syntax. */
export function parseExpression(source: string): Node {
  const parser = new Parser(source, 0);
  const node = parser.expression();
  const rest = parser.next;
  if (rest.kind !== 'end') throw unexpectedToken(rest, 'the end of the expression');
  return node;
}

/** Parses the expression that begins at `from` and ends before a `}`; gives the offset of that brace. */
export function parseHole(source: string, from: number): { node: Node; brace: number } {
  const parser = new Parser(source, from);
  const node = parser.expression();
  const rest = parser.next;
  if (rest.kind === 'operator' && rest.text === '}') return { node, brace: rest.start };
  throw unexpectedToken(rest, '"}"');
}

function unexpectedToken(token: Token, expected: string): Error {
  if (token.kind === 'end')
    return syntaxError(`the text ends where ${expected} should stand`, token.start, token.end);
  return syntaxError(`"${token.text}" stands where ${expected} should`, token.start, token.end);
}

class Parser {
  private readonly source: string;
  private level = 0;
  next: Token;

  constructor(source: string, from: number) {
    this.source = source;
    this.next = readToken(source, from);
  }

  expression(): Node {
    if (++this.level > MAX_DEPTH) throw this.tooDeep(this.next.start, this.next.end);
    const node = this.conditional();
    this.level--;
    return node;
  }

  private conditional(): Node {
    const condition = this.disjunction();
    if (!this.accept('?')) return condition;
    const yes = this.disjunction();
    this.expect(':');
    const no = this.expression();
    return {
      kind: 'conditional',
      condition,
      yes,
      no,
      ...this.span(condition.start, no.end, [condition, yes, no]),
    };
  }

  private disjunction(): Node {
    return this.balanced('||', () => this.conjunction());
  }

  private conjunction(): Node {
    return this.balanced('&&', () => this.relation());
  }

  /** `a && b && c && d` as a balanced tree: both operators are associative, and long lists stay shallow. */
  private balanced(operator: '||' | '&&', operand: () => Node): Node {
    const first = operand();
    if (!this.at(operator)) return first;
    const operands = [first];
    while (this.accept(operator)) operands.push(operand());
    return this.balance(operator, operands, 0, operands.length);
  }

  private balance(operator: '||' | '&&', operands: Node[], from: number, to: number): Node {
    if (to - from === 1) return operands[from]!;
    const middle = (from + to + 1) >> 1;
    return this.binary(
      operator,
      this.balance(operator, operands, from, middle),
      this.balance(operator, operands, middle, to),
    );
  }

  private relation(): Node {
    return this.chain(RELATIONS, () => this.sum());
  }

  private sum(): Node {
    return this.chain(SUMS, () => this.product());
  }

  private product(): Node {
    return this.chain(PRODUCTS, () => this.unary());
  }

  private chain(operators: ReadonlySet<string>, operand: () => Node): Node {
    let left = operand();
    while (this.next.kind !== 'literal' && operators.has(this.next.text)) {
      const operator = this.take().text as BinaryOperator;
      left = this.binary(operator, left, operand());
    }
    return left;
  }

  private unary(): Node {
    const sign = this.next;
    if (sign.kind !== 'operator' || (sign.text !== '!' && sign.text !== '-'))
      return this.postfix(this.primary());
    this.take();
    if (sign.text === '-' && this.next.kind === 'literal' && this.next.start === sign.end) {
      const negated = negate(this.next.value);
      if (negated !== null) {
        const { end } = this.take();
        return this.postfix({ kind: 'literal', value: negated, start: sign.start, end, depth: 1 });
      }
    }
    if (++this.level > MAX_DEPTH) throw this.tooDeep(sign.start, sign.end);
    const operand = this.unary();
    this.level--;
    return { kind: 'unary', operator: sign.text, operand, ...this.span(sign.start, operand.end, [operand]) };
  }

  private postfix(start: Node): Node {
    let node = start;
    for (;;) {
      if (this.accept('.')) node = this.member(node);
      else if (this.accept('[')) {
        if (this.at('?')) throw this.noOptionals();
        const index = this.expression();
        const { end } = this.expect(']');
        node = { kind: 'index', base: node, index, ...this.span(node.start, end, [node, index]) };
      } else return node;
    }
  }

  private member(base: Node): Node {
    if (this.at('?')) throw this.noOptionals();
    const name = this.next;
    if (name.kind !== 'name' && name.kind !== 'quotedName')
      throw unexpectedToken(name, 'the name of a member');
    this.take();
    if (name.kind === 'name' && this.accept('(')) return this.call(base, name, base.start);
    return {
      kind: 'select',
      base,
      name: name.text,
      nameStart: name.start,
      ...this.span(base.start, name.end, [base]),
    };
  }

  private call(receiver: Node | null, name: Token, start: number): Node {
    const args = this.list(')');
    const { end } = this.expect(')');
    const children = receiver === null ? args : [receiver, ...args];
    return {
      kind: 'call',
      receiver,
      name: name.text,
      nameStart: name.start,
      args,
      ...this.span(start, end, children),
    };
  }

  private primary(): Node {
    const token = this.next;
    if (token.kind === 'literal') {
      this.take();
      if (token.value === INT_LIMIT)
        throw syntaxError(`${token.text} is larger than any int`, token.start, token.end);
      return { kind: 'literal', value: token.value, start: token.start, end: token.end, depth: 1 };
    }
    if (token.kind === 'name') return this.name();
    if (this.accept('(')) {
      const inner = this.expression();
      const { end } = this.expect(')');
      return { ...inner, start: token.start, end };
    }
    if (this.accept('[')) {
      const items = this.list(']');
      const { end } = this.expect(']');
      return { kind: 'list', items, ...this.span(token.start, end, items) };
    }
    if (this.accept('{')) return this.map(token.start);
    // `.name` asks for the outermost `name`; there is only one level.
    if (token.text === '.') {
      this.take();
      if (this.next.kind === 'name') return this.name();
    }
    throw unexpectedToken(this.next, 'a value');
  }

  private name(): Node {
    const name = this.take();
    const { start, end } = name;
    if (this.accept('(')) return this.call(null, name, start);
    if (name.text === 'in') throw unexpectedToken(name, 'a value');
    if (CONSTANTS.has(name.text))
      return { kind: 'literal', value: CONSTANTS.get(name.text)!, start, end, depth: 1 };
    return { kind: 'identifier', name: name.text, start, end, depth: 1 };
  }

  private map(start: number): Node {
    const entries: [Node, Node][] = [];
    while (!this.at('}')) {
      if (this.at('?')) throw this.noOptionals();
      const key = this.expression();
      this.expect(':');
      entries.push([key, this.expression()]);
      if (!this.accept(',')) break;
    }
    const { end } = this.expect('}');
    return { kind: 'map', entries, ...this.span(start, end, entries.flat()) };
  }

  private list(closing: string): Node[] {
    const items: Node[] = [];
    while (!this.at(closing)) {
      if (this.at('?')) throw this.noOptionals();
      items.push(this.expression());
      if (!this.accept(',')) break;
    }
    return items;
  }

  private binary(operator: BinaryOperator, left: Node, right: Node): Node {
    return { kind: 'binary', operator, left, right, ...this.span(left.start, right.end, [left, right]) };
  }

  private span(
    start: number,
    end: number,
    children: readonly Node[],
  ): { start: number; end: number; depth: number } {
    let depth = 0;
    for (const child of children) if (child.depth > depth) depth = child.depth;
    if (depth >= MAX_DEPTH) throw this.tooDeep(start, end);
    return { start, end, depth: depth + 1 };
  }

  private tooDeep(start: number, end: number): Error {
    return syntaxError(`the expression nests more than ${MAX_DEPTH} levels deep`, start, end);
  }

  private noOptionals(): Error {
    return syntaxError(
      'optional values (?) are not offered here',
      this.next.start,
      this.next.end,
      'ask with has() first',
    );
  }

  private at(text: string): boolean {
    return this.next.kind === 'operator' && this.next.text === text;
  }

  private accept(text: string): boolean {
    if (!this.at(text)) return false;
    this.take();
    return true;
  }

  private expect(text: string): Token {
    if (!this.at(text)) throw unexpectedToken(this.next, `"${text}"`);
    return this.take();
  }

  private take(): Token {
    const token = this.next;
    this.next = readToken(this.source, token.end);
    return token;
  }
}

const INT_LIMIT = 2n ** 63n;
const CONSTANTS = new Map<string, Value>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

function negate(value: Value): Value {
  if (typeof value === 'bigint' || typeof value === 'number') return -value;
  if (value instanceof Uint) return null;
  return null;
}
