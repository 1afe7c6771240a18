import type { Exchange, Reply } from '../http/exchange.ts';

/** What the gateway answers itself, before all routes; counted nowhere. */
export interface AheadOfRoutes {
  /** Null: the request is for something else. */
  answer(exchange: Exchange): Reply | null;
}

/** Several as one; null where there are none, which costs requests nothing. */
export function aheadOf(all: readonly AheadOfRoutes[]): AheadOfRoutes | null {
  if (all.length < 2) return all[0] ?? null;
  return {
    answer: (exchange) => {
      for (const one of all) {
        const reply = one.answer(exchange);
        if (reply !== null) return reply;
      }
      return null;
    },
  };
}
