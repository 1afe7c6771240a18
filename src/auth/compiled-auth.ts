import type { DecisionPointConfig, RouteAuthConfig, RouteCacheConfig } from '../config/model.ts';
import type { Scope } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import type { CompiledRoute, Dispatch, Filter, ServiceCredential, WellKnown } from '../pipeline/index.ts';
import type { Seldom } from '../telemetry/index.ts';
import type { Provider } from './contract.ts';
import { DecisionPoint } from './decision-point.ts';
import type { Possession } from './dpop/index.ts';
import { Guard, isGuarded } from './guard.ts';
import { Handovers, type HandoversParts } from './handovers.ts';
import type { LiveCredentials } from './live.ts';
import { outsidePermit } from './outside.ts';
import { dropOverrides } from './overrides.ts';
import { compilePermit, type Tell } from './permit.ts';
import { authzenQuestion, opaQuestion, type Question } from './questions.ts';
import { permitResponse } from './response-permit.ts';
import { compileShowing, type Shows } from './showing.ts';
import { keySetAnswer } from './signing/index.ts';
import type { Tally } from './tally.ts';

export interface Closable {
  close(): void;
}

/** What stands under a key already, or something new. */
export type Claim = <T extends Closable>(key: string, make: () => T) => T;

export interface CompiledParts extends HandoversParts {
  readonly live: LiveCredentials;
  readonly possession: Possession;
  readonly seldom: Seldom;
  /** Where what a provider decides is counted. */
  tallyOf(provider: string): Tally;
  /** Some route of the config is guarded. */
  readonly guardsAny: boolean;
  readonly claim: Claim;
}

/** The providers of one config, for its routes. */
export class CompiledAuth {
  private readonly of: CompiledParts;
  readonly handovers: Handovers;

  constructor(of: CompiledParts) {
    this.of = of;
    this.handovers = new Handovers(of);
  }

  /** What the gateway shows a service of itself. */
  credential(service: string): ServiceCredential | null {
    return this.of.tokens.get(service) ?? null;
  }

  /** What a route is shown of who asks, by an aggregate that asks it: `providers` of it, and of those it asks in turn. */
  showing(providers: readonly string[], whole: RouteCacheConfig | null): Shows {
    return compileShowing(this.named(providers), whole, this.of.providers);
  }

  /** What the gateway answers itself at addresses that services know by heart; null: nothing. */
  wellKnown(): WellKnown | null {
    const { keys, parts } = this.of;
    return keys === null ? null : (exchange) => keySetAnswer(exchange, keys, parts.clock.wall());
  }

  /**
   * The dispatch of a route, outside of whatever caches it: of a guarded one, what goes on for long ends with its
   * credential, and answers that may not be seen are withheld.
   */
  dispatch(config: RouteAuthConfig | null, dispatch: Dispatch, scope: Scope): Dispatch {
    const { live, parts } = this.of;
    const seen =
      config?.allowResponse == null
        ? dispatch
        : permitResponse(config.allowResponse, scope, parts.variables, dispatch);
    return isGuarded(config) ? live.watching(seen) : seen;
  }

  /** The steps that guard a route: who asks, and what they may. Empty where it is open. */
  filters(config: RouteAuthConfig | null, scope: Scope): Filter[] {
    const { guardsAny, parts } = this.of;
    const overrides = guardsAny ? [dropOverrides] : [];
    if (config === null) return overrides;
    const providers = this.named(config.providers);
    const permit = compilePermit(config, providers, scope, parts.variables, this.tell);
    const { possession, tallyOf } = this.of;
    const { fences } = parts;
    const guard =
      providers.length === 0 ? null : new Guard({ ...config, providers, fences, possession, tallyOf });
    return [...overrides, guard, permit, ...this.outside(config, scope)].filter((filter) => filter !== null);
  }

  private readonly tell = (exchange: Exchange, why: string): void => {
    const route = exchange.route as CompiledRoute | null;
    route?.counter.reported();
    this.of.seldom.warn('a rule on trial would refuse requests', { route: route?.name, why });
  };

  /** What a route asks for that can be said without asking anybody, be it on trial or not; null: nothing. */
  permit(config: RouteAuthConfig, scope: Scope): Filter | null {
    const providers = this.named(config.providers);
    return compilePermit({ ...config, report: false }, providers, scope, this.of.parts.variables, this.tell);
  }

  private named(names: readonly string[]): Provider[] {
    return names.map((name) => this.of.providers.get(name)!);
  }

  private outside({ opa, authzen, report }: RouteAuthConfig, scope: Scope): Filter[] {
    const permits: Filter[] = [];
    const tell = report ? this.tell : null;
    if (opa !== null) permits.push(this.point('opa', opa, opaQuestion(opa, scope), tell));
    if (authzen !== null) permits.push(this.point('authzen', authzen, authzenQuestion(authzen, scope), tell));
    return permits;
  }

  private point(name: string, config: DecisionPointConfig, question: Question, tell: Tell | null): Filter {
    const { parts, claim } = this.of;
    const { url, cache, timeout, tls } = config;
    const own = { url, cache, timeout, tls };
    const point = claim(`${name} ${JSON.stringify(own)}`, () => new DecisionPoint(name, own, parts));
    return outsidePermit(point, question, parts.variables, tell);
  }
}
