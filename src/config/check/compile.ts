import {
  compileExpression,
  compilePath,
  compileTemplate,
  ExpressionError,
  type Problem,
  type Scope,
} from '../../expression/index.ts';
import type { Expression, Template } from '../model.ts';
import type { Findings, Path } from './findings.ts';

type Into = NonNullable<NonNullable<Parameters<typeof compileTemplate>[2]>['into']>;

/** What was compiled only to see whether it can be. */
interface Compiled {
  readonly mentions: ReadonlySet<string>;
}

/** Compiles expressions and templates for the sake of what is wrong with them. */
export class CompileCheck {
  private readonly findings: Findings;

  constructor(findings: Findings) {
    this.findings = findings;
  }

  condition(source: Expression, scope: Scope, path: Path): Compiled | null {
    return this.attempt(path, () => compileExpression(source, scope, { expects: 'bool' }));
  }

  value(source: Expression, scope: Scope, path: Path): Compiled | null {
    return this.attempt(path, () => compileExpression(source, scope));
  }

  template(source: Template, scope: Scope, path: Path, into: Into = 'text'): Compiled | null {
    return this.attempt(path, () => compileTemplate(source, scope, { into }));
  }

  /** One that takes no lists. */
  singleText(source: Template, scope: Scope, path: Path): Compiled | null {
    return this.attempt(path, () => compileTemplate(source, scope, { single: true }));
  }

  /** One that gives the same for the same values. */
  pureCondition(source: Expression, scope: Scope, path: Path): Compiled | null {
    return this.attempt(path, () => compileExpression(source, scope, { expects: 'bool', pure: true }));
  }

  pureTemplate(source: Template, scope: Scope, path: Path): Compiled | null {
    return this.attempt(path, () => compileTemplate(source, scope, { pure: true }));
  }

  path(source: Template, scope: Scope, path: Path) {
    return this.attempt(path, () => compilePath(source, scope));
  }

  /** What is wrong with it; empty where it can be compiled. */
  problemsOf(source: Expression, scope: Scope): readonly Problem[] {
    try {
      compileExpression(source, scope, { expects: 'bool' });
      return [];
    } catch (error) {
      if (error instanceof ExpressionError) return error.problems;
      throw error;
    }
  }

  /** Runs `compile`; what it finds wrong is told at `path`. */
  attempt<T>(path: Path, compile: () => T): T | null {
    try {
      return compile();
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      for (const problem of error.problems) {
        this.findings.error('TG_CONFIG_EXPRESSION', path, problem.message, problem.advice, {
          span: [problem.start, problem.end],
        });
      }
      return null;
    }
  }
}
