import { cacheOutcome } from '../../http/cache-outcome.ts';
import type { ExchangeTrace } from '../../http/exchange.ts';
import type { Out } from './contract.ts';

/** A look into the cache as a step of a trace: what came of it, and whose fill it waited for. */
export function tracedOut<T>(trace: ExchangeTrace, out: Out<T>): Out<T> {
  const step = trace.step('cache');
  return {
    joined: (fill) => step.link(fill),
    finish(exchange, answer, transform) {
      step.set('tidegate.cache', cacheOutcome(exchange.cache) ?? undefined);
      step.set('tidegate.cache.detail', exchange.cache?.detail);
      step.end(answer.failure !== null);
      out.finish(exchange, answer, transform);
    },
  };
}
