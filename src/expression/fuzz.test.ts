import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tableScope, tableVariables } from './fixtures.ts';
import {
  compileExpression,
  compileTemplate,
  EvaluationFailure,
  ExpressionError,
  type Program,
} from './index.ts';

const atom = fc.constantFrom(
  ...[
    '1',
    '2u',
    '0.5',
    '"a"',
    'b"a"',
    'true',
    'null',
    '[]',
    '{}',
    'x',
    'y',
    'i',
    'j',
    'j.l',
    'j.o',
    'j.s',
    'missing',
  ],
  ...[
    'request',
    'request.path',
    'request.headers',
    'request.query',
    'params',
    'auth.permissions',
    'timestamp(0)',
    'duration("1s")',
  ],
);
const binary = fc.constantFrom('+', '-', '*', '/', '%', '==', '!=', '<', '>=', 'in', '&&', '||');
const unary = fc.constantFrom(
  '!',
  '-',
  'size',
  'string',
  'int',
  'double',
  'uint',
  'type',
  'dyn',
  'json',
  'sum',
  'sort',
  'distinct',
  'flatten',
);
const method = fc.constantFrom(
  'startsWith',
  'contains',
  'split',
  'join',
  'indexOf',
  'merge',
  'pick',
  'omit',
  'getHours',
  'substring',
);
const macro = fc.constantFrom('all', 'exists', 'exists_one', 'map', 'filter');

/** Expressions that are well formed, and mostly of the wrong type. */
const { source } = fc.letrec<{ source: string }>((tie) => ({
  source: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    atom,
    fc
      .tuple(tie('source'), binary, tie('source'))
      .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    fc.tuple(unary, tie('source')).map(([name, operand]) => `${name}(${operand})`),
    fc.tuple(tie('source'), method, tie('source')).map(([left, name, right]) => `${left}.${name}(${right})`),
    fc
      .tuple(tie('source'), macro, tie('source'))
      .map(([range, name, body]) => `dyn(${range}).${name}(n, ${body})`),
    fc
      .tuple(tie('source'), tie('source'), tie('source'))
      .map(([test, yes, no]) => `(dyn(${test}) ? dyn(${yes}) : ${no})`),
    fc.tuple(tie('source'), tie('source')).map(([base, index]) => `dyn(${base})[${index}]`),
    fc.tuple(tie('source'), tie('source')).map(([a, b]) => `[${a}, dyn(${b})]`),
    fc.tuple(tie('source'), tie('source')).map(([key, value]) => `{dyn(${key}): ${value}}`),
  ),
}));

function compiled(text: string): Program | null {
  try {
    return compileExpression(text, tableScope);
  } catch (error) {
    expect(error).toBeInstanceOf(ExpressionError);
    return null;
  }
}

it('whatever is well formed is refused with problems that lie in it, or evaluated, or fails as a failure', () => {
  let evaluated = 0;
  fc.assert(
    fc.property(source, (text) => {
      const program = compiled(text);
      if (program === null) return;
      evaluated++;
      try {
        program.evaluate(tableVariables());
      } catch (error) {
        expect(error).toBeInstanceOf(EvaluationFailure);
        expect((error as EvaluationFailure).message).not.toMatch(/undefined|is not a function|Cannot/);
      }
    }),
    { numRuns: 3000 },
  );
  expect(evaluated).toBeGreaterThan(300);
});

it('any text is an expression or has problems within its bounds', () => {
  const pieces = fc.constantFrom(
    ...'request . path ( ) [ ] { } " \' """ + - ! == && ? : , 1 0x 1.5 1e b" r\' \\ // \n ` in null 😀 \ud800 } {'.split(
      ' ',
    ),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((list) => list.join('')),
      ),
      (text) => {
        for (const compile of [
          () => compileExpression(text, tableScope),
          () => compileTemplate(text, tableScope),
        ]) {
          try {
            compile();
          } catch (error) {
            expect(error).toBeInstanceOf(ExpressionError);
            for (const { start, end } of (error as ExpressionError).problems) {
              expect(0 <= start && start <= end && end <= text.length).toBe(true);
            }
          }
        }
      },
    ),
    { numRuns: 3000 },
  );
});
