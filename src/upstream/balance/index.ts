import type { BalanceConfig } from '../../config/model.ts';
import type { Random } from '../../util/random.ts';
import type { Balancer } from './choice.ts';
import { LeastRequests } from './least-requests.ts';
import { Rendezvous } from './rendezvous.ts';
import { RoundRobin } from './round-robin.ts';

export type { Balancer, Choice } from './choice.ts';
export { RoundRobin } from './round-robin.ts';

/** The balancer that a service asks for. A cookie's affinity goes by the target's name, as a key does. */
export function compileBalancer<T extends { readonly name: string; readonly weight: number }>(
  balance: BalanceConfig,
  targets: readonly T[],
  random: Random,
): Balancer<T> {
  switch (balance.kind) {
    case 'roundRobin':
      return new RoundRobin(targets);
    case 'leastRequests':
      return new LeastRequests(targets, random);
    case 'hash':
      return new Rendezvous(targets, new LeastRequests(targets, random));
    case 'cookie':
      return new Affinity(targets, new LeastRequests(targets, random));
  }
}

/** The key is the name of the target that a client was given before; while that is in, it stays there. */
class Affinity<T extends { readonly name: string }> implements Balancer<T> {
  private readonly targets: readonly T[];
  private readonly otherwise: Balancer<T>;

  constructor(targets: readonly T[], otherwise: Balancer<T>) {
    this.targets = targets;
    this.otherwise = otherwise;
  }

  pick(choice: Parameters<Balancer<T>['pick']>[0], key: string | null): T | null {
    const given = key === null ? undefined : this.targets.find(({ name }) => name === key);
    return given !== undefined && choice.fits(given) ? given : this.otherwise.pick(choice, null);
  }
}
