import { EvaluationFailure } from '../expression/index.ts';
import { Failure } from '../http/errors.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import type { Filter } from '../pipeline/index.ts';
import type { Decision, Identity } from './contract.ts';
import type { DecisionPoint } from './decision-point.ts';
import { endDecision, refuse } from './guard.ts';
import type { VariablesOf } from './permit.ts';
import type { Question } from './questions.ts';

/** Asks a decision point about each request that has passed the route's own rules. */
export function outsidePermit(point: DecisionPoint, question: Question, variables: VariablesOf): Filter {
  return {
    phase: 'authorize',
    run(exchange) {
      let text: string;
      try {
        text = question.ask(exchange, variables(exchange).strict());
      } catch (error) {
        if (!(error instanceof EvaluationFailure)) throw error;
        return refuse(
          exchange,
          new Failure('TG_AUTH_FORBIDDEN', `it can't be asked about: ${error.message}`),
        );
      }
      const identity = exchange.identity as Identity | null;
      const trace = exchange.trace?.step(`authorize ${point.name}`) ?? null;
      const decision = point.decide(text, question.path, question.verdict, identity, trace);
      const follow = (decided: Decision) => {
        if (trace !== null) endDecision(trace, decided);
        return answerTo(exchange, decided);
      };
      return decision instanceof Promise ? decision.then(follow) : follow(decision);
    },
  };
}

function answerTo(exchange: Exchange, decision: Decision): Reply | null {
  if (decision.kind === 'allowed') return null;
  if (decision.kind === 'unavailable') return refuse(exchange, decision.failure);
  return refuse(exchange, new Failure('TG_AUTH_FORBIDDEN', decision.kind === 'refused' ? decision.why : ''));
}
