import type { Exchange, Reply } from '../../http/exchange.ts';
import { drop } from './answers.ts';

/** The answer waits for something; it goes on when that is done or has failed, unless its client has left. */
export function hold(exchange: Exchange, answer: Reply, until: Promise<unknown>, go: () => void): void {
  let left = false;
  exchange.watch({
    abort: () => {
      left = true;
      drop(exchange, answer);
    },
  });
  const done = () => {
    if (left) return;
    exchange.watch(null);
    go();
  };
  until.then(done, done);
}
