import type { ExchangeVariables } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Resolver } from '../upstream/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import type { Endpoint } from './call/index.ts';
import type { Remembrance, RevocationFences, SharedRecords, SharedSeen } from './contract.ts';

/** What providers need of the gateway around them. */
export interface AuthParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly resolver: Resolver;
  /** Servers that are asked, for their end. */
  readonly endpoints: Set<Endpoint>;
  readonly fences: RevocationFences;
  /** What workers, and nodes that share a store, have in common, and nobody else knows: their keys are made from it. */
  readonly nodeSecret: () => string;
  /** May what was found out before be used? */
  readonly memory: Remembrance;
  /** What nodes keep together; null: there are no others. */
  readonly records: SharedRecords | null;
  /** What counts once, for other workers and nodes too. */
  readonly seenElsewhere: readonly SharedSeen[];
  /** The variables of expressions, for an exchange. */
  variables(exchange: Exchange): ExchangeVariables;
}
