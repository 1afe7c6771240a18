import { cancelBody } from '../http/body.ts';
import { crashOf } from '../http/errors.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import { problem } from './problem.ts';
import type { Dispatch, Filter, Finish } from './route.ts';
import type { HeaderTransform } from './transform.ts';

/**
 * Puts what is asked behind these steps, where no route has taken a request through its own. A request takes them once,
 * however many are asked for it in turn: the first time may have used up what it has shown.
 *
 * @param transform What is changed about the answer of a step that lets nothing pass.
 */
export function behindSteps(
  steps: readonly Filter[],
  transform: HeaderTransform | null,
): (dispatch: Dispatch) => Dispatch {
  const passed = new WeakSet<Exchange>();
  return (dispatch) => (steps.length === 0 ? dispatch : behind(steps, dispatch, transform, passed));
}

function behind(
  steps: readonly Filter[],
  dispatch: Dispatch,
  transform: HeaderTransform | null,
  passed: WeakSet<Exchange>,
): Dispatch {
  const take = (exchange: Exchange, out: Finish, from: number): void => {
    for (let i = from; i < steps.length; i++) {
      const outcome = steps[i]!.run(exchange);
      if (outcome instanceof Promise) return wait(exchange, out, outcome, i + 1);
      if (outcome !== null) return out.finish(exchange, outcome, transform);
    }
    passed.add(exchange);
    dispatch(exchange, out);
  };
  const wait = (exchange: Exchange, out: Finish, outcome: Promise<Reply | null>, next: number): void => {
    outcome
      .then((answer) => {
        if (exchange.aborted !== null) return cancelBody(answer?.body ?? null);
        if (answer !== null) out.finish(exchange, answer, transform);
        else take(exchange, out, next);
      })
      .catch((error: unknown) => out.finish(exchange, problem(crashOf(error), exchange.id), transform));
  };
  return (exchange, out) => (passed.has(exchange) ? dispatch(exchange, out) : take(exchange, out, 0));
}
