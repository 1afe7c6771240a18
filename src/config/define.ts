import type {
  AggregateInput,
  CallInput,
  ConfigInput,
  DefaultsInput,
  DestinationInput,
  ProviderInput,
  RouteAuthInput,
  RouteInput,
  ServiceInput,
} from './schema/types.ts';

export type {
  AuthView,
  CallVariables,
  RequestVariables,
  RequestView,
  ResponseVariables,
  ResponseView,
} from './schema/variables.ts';

/**
 * Generic over the names alone: were it generic over the objects, the compiler would take any key for meant.
 */
export type GatewayDefinition<
  Service extends string,
  Provider extends string = string,
  Route extends string = string,
> = Omit<ConfigInput, 'services' | 'routes' | 'auth' | 'defaults'> & {
  services?: Record<Service, ServiceDefinition>;
  auth?: Record<Provider, ProviderInput>;
  defaults?: Omit<DefaultsInput, 'auth' | keyof Elsewhere<Service>> & {
    auth?: Guard<NoInfer<Provider>>;
  } & Elsewhere<NoInfer<Service>>;
  routes?: Record<Route, RouteDefinition<NoInfer<Service>, NoInfer<Provider>, NoInfer<Route>>>;
  [ignored: `x-${string}`]: unknown;
};

/** `url` or `targets`. */
export type ServiceDefinition = Omit<ServiceInput, 'url' | 'targets'> &
  (
    | { url: NonNullable<ServiceInput['url']>; targets?: never }
    | { targets: NonNullable<ServiceInput['targets']>; url?: never }
  );

/** One of `to`, `aggregate`, `respond` and `redirect`. */
export type RouteDefinition<
  Service extends string,
  Provider extends string = string,
  Route extends string = string,
> = Omit<RouteInput, keyof Actions<Service, Route> | 'auth' | keyof Elsewhere<Service>> & {
  auth?: Guard<Provider>;
} & Elsewhere<Service> &
  OneOf<Actions<Service, Route>>;

/** Services that are asked beside the one a route leads to. */
interface Elsewhere<Service extends string> {
  mirror?: 'none' | (Omit<Said<RouteInput['mirror']>, 'to'> & { to: Other<Service> });
  onStatus?: 'none' | Readonly<Record<string, StandIn<Service> | StandIn<Service>[]>>;
}

type Said<Key> = Exclude<NonNullable<Key>, 'none'>;
type Other<Service extends string> =
  | Service
  | (Omit<Extract<Said<RouteInput['mirror']>['to'], { service: string }>, 'service'> & { service: Service });
type StandIn<Service extends string> = Omit<
  Exclude<Said<RouteInput['onStatus']>[string], readonly unknown[]>,
  'to'
> & { to?: Other<Service> };

interface Actions<Service extends string, Route extends string> {
  to: Destinations<Service>;
  aggregate: AggregateDefinition<Service, Route>;
  respond: NonNullable<RouteInput['respond']>;
  redirect: NonNullable<RouteInput['redirect']>;
}

/** Exactly one of the members. */
type OneOf<All> = {
  [Key in keyof All]: { [One in Key]: All[One] } & { [Other in Exclude<keyof All, Key>]?: never };
}[keyof All];

/** Expressions may be functions of the request and of the calls, by name. */
export type AggregateDefinition<Service extends string, Route extends string = string> = Omit<
  AggregateInput,
  'calls'
> & {
  calls: Record<string, CallDefinition<Service, Route>>;
};

export type CallDefinition<Service extends string, Route extends string = string> = Omit<
  CallInput,
  'to' | 'route' | 'compensate'
> &
  Addressee<Service, Route> & {
    compensate?: Omit<NonNullable<CallInput['compensate']>, 'to' | 'route'> & Addressee<Service, Route>;
  };

/** A service, or another route. */
interface Addressee<Service extends string, Route extends string> {
  to?: CallTarget<Service>;
  route?: Route;
}

type CallTarget<Service extends string> =
  | Service
  | (Omit<Extract<NonNullable<CallInput['to']>, { service: string }>, 'service'> & { service: Service })
  | (Service | { service: Service; weight?: number })[];

/** `with` names providers that are there. */
type Guard<Provider extends string> =
  | 'none'
  | (Omit<RouteAuthInput, 'with'> & { with: Provider | 'none' | Provider[] });

type Destination<Service extends string> = Omit<DestinationInput, 'service'> & { service: Service };
type Destinations<Service extends string> =
  | Service
  | Destination<Service>
  | (Service | (Destination<Service> & { weight?: number }))[];

/**
 * The config of a gateway, for `export default` of a `tidegate.config.ts`. Checks at compile time that
 * names, keys and units are right; the value is what was given.
 *
 * @example
 * export default defineGateway({
 *   services: { catalogue: { url: 'http://127.0.0.1:4001' } },
 *   routes: { catalogue: { match: '/catalogue/*', to: 'catalogue' } },
 * });
 */
export function defineGateway<
  const Service extends string,
  const Provider extends string = never,
  const Route extends string = never,
>(definition: GatewayDefinition<Service, Provider, Route>): GatewayDefinition<Service, Provider, Route> {
  return definition;
}
