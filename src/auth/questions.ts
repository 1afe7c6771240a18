import type { AuthzenConfig, OpaConfig, Template } from '../config/model.ts';
import {
  compileExpression,
  compileTemplate,
  EvaluationFailure,
  type Fields,
  type Scope,
  toJson,
  type Value,
  type Variables,
} from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Verdict } from './decision-point.ts';

/** What a decision point is asked about a request, where, and how its answer is read. */
export interface Question {
  readonly path: string;
  /** JSON. Throws an EvaluationFailure where it can't be put. */
  ask(exchange: Exchange, vars: Variables): string;
  readonly verdict: Verdict;
}

/** What the Open Policy Agent is asked where the config does not say. */
export const USUAL_INPUT =
  '{"request": {"method": request.method, "path": request.path, "host": request.host, "query": request.queries, "ip": request.ip}, "params": params, "auth": auth}';

/** The data API of the Open Policy Agent: `true`, or an object whose `allow` is; what is undefined there is no. */
export function opaQuestion({ input }: OpaConfig, scope: Scope): Question {
  const program = compileExpression(input ?? USUAL_INPUT, scope);
  return {
    path: '',
    ask: (_exchange, vars) => `{"input":${toJson(program.evaluate(vars))}}`,
    verdict: (answer) => {
      const result = answer.get('result');
      if (result instanceof Map) return result.get('allow') === true;
      return result === true;
    },
  };
}

/** AuthZEN Authorization API 1.0 §5 (evaluation) and §6 (evaluations, of which all must be allowed). */
export function authzenQuestion({ evaluations }: AuthzenConfig, scope: Scope): Question {
  const compiled = evaluations.map((one) => ({
    action: filled(one.action, scope),
    type: filled(one.resourceType, scope),
    id: filled(one.resourceId, scope),
  }));
  const one = (index: number, exchange: Exchange, vars: Variables) => {
    const { action, type, id } = compiled[index]!;
    return {
      action: { name: action?.(vars) ?? exchange.method },
      resource: { type: type?.(vars) ?? 'route', id: id?.(vars) ?? exchange.path },
    };
  };
  const several = compiled.length > 1;
  return {
    path: several ? '/access/v1/evaluations' : '/access/v1/evaluation',
    ask(exchange, vars) {
      const subject = { type: 'user', id: subjectOf(vars) };
      const context = { method: exchange.method, path: exchange.path, host: exchange.host, ip: exchange.ip };
      if (!several) return JSON.stringify({ subject, ...one(0, exchange, vars), context });
      return JSON.stringify({
        subject,
        context,
        options: { evaluations_semantic: 'deny_on_first_deny' },
        evaluations: compiled.map((_, index) => one(index, exchange, vars)),
      });
    },
    verdict: several ? (answer) => allAllowed(answer, compiled.length) : (answer) => decisionIn(answer),
  };
}

function filled(template: Template | null, scope: Scope): ((vars: Variables) => string) | null {
  if (template === null) return null;
  const compiled = compileTemplate(template, scope);
  return (vars) => compiled.render(vars);
}

/** Nobody can't be asked about. */
function subjectOf(vars: Variables): string {
  const subject = (vars.get('auth') as Fields).get('subject');
  if (typeof subject !== 'string') throw new EvaluationFailure('absent', 'auth has no "subject"');
  return subject;
}

function decisionIn(answer: Value | undefined): boolean | null {
  const decision = answer instanceof Map ? answer.get('decision') : undefined;
  return typeof decision === 'boolean' ? decision : null;
}

/** A denial may end the list early. */
function allAllowed(answer: ReadonlyMap<Value, Value>, count: number): boolean | null {
  const list = answer.get('evaluations');
  if (!Array.isArray(list)) return null;
  const decisions = list.map(decisionIn);
  if (decisions.includes(null)) return null;
  if (decisions.includes(false)) return false;
  return decisions.length === count ? true : null;
}
