import { EvaluationFailure } from '../expression/index.ts';
import { Failure } from '../http/errors.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import type { Filter } from '../pipeline/index.ts';
import type { Decision, Identity } from './contract.ts';
import type { DecisionPoint } from './decision-point.ts';
import { endDecision, refuse } from './guard.ts';
import type { Tell, VariablesOf } from './permit.ts';
import type { Question } from './questions.ts';

/**
 * Asks a decision point about each request that has passed the route's own rules.
 *
 * @param report Set where it is on trial: told of what would be refused, which then passes.
 */
export function outsidePermit(
  point: DecisionPoint,
  question: Question,
  variables: VariablesOf,
  report: Tell | null,
): Filter {
  const answerTo = (exchange: Exchange, failure: Failure | null): Reply | null => {
    if (failure === null) return null;
    if (report === null) return refuse(exchange, failure);
    report(exchange, failure.cause || failure.code);
    return null;
  };
  return {
    phase: 'authorize',
    run(exchange) {
      let text: string;
      try {
        text = question.ask(exchange, variables(exchange).strict());
      } catch (error) {
        if (!(error instanceof EvaluationFailure)) throw error;
        return answerTo(exchange, forbidden(`it can't be asked about: ${error.message}`));
      }
      const identity = exchange.identity as Identity | null;
      const trace = exchange.trace?.step(`authorize ${point.name}`) ?? null;
      const decision = point.decide(text, question.path, question.verdict, identity, trace);
      const follow = (decided: Decision) => {
        if (trace !== null) endDecision(trace, decided);
        return answerTo(exchange, refusalOf(decided));
      };
      return decision instanceof Promise ? decision.then(follow) : follow(decision);
    },
  };
}

/** Null: it is allowed. */
function refusalOf(decision: Decision): Failure | null {
  if (decision.kind === 'allowed') return null;
  if (decision.kind === 'unavailable') return decision.failure;
  return forbidden(decision.kind === 'refused' ? decision.why : '');
}

function forbidden(why: string): Failure {
  return new Failure('TG_AUTH_FORBIDDEN', why);
}
