import { ExchangeVariables, type Value, type Variables } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';

/**
 * The variables of a call's own exchange: those of the client's request, with the other calls' results and the
 * item. What is said of the service, or of keeping its answers, reads them where it would else read a client's.
 */
export class CallVariables extends ExchangeVariables {
  /** Whose request it is made for. */
  readonly client: Exchange;
  readonly all: Variables;

  constructor(client: Exchange, all: Variables) {
    super(client);
    this.client = client;
    this.all = all;
  }

  /** What a client's request says twice is not relied on in its calls either. */
  override strict(): ExchangeVariables {
    const { client, all } = this;
    const strict = new ExchangeVariables(client, { strict: true });
    return new CallVariables(client, {
      get: (name) => (name === 'request' || name === 'auth' ? strict.get(name) : all.get(name)),
    });
  }

  override get(name: string): Value | undefined {
    return this.all.get(name);
  }
}
