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
export type GatewayDefinition<Service extends string, Provider extends string = string> = Omit<
  ConfigInput,
  'services' | 'routes' | 'auth' | 'defaults'
> & {
  services?: Record<Service, ServiceDefinition>;
  auth?: Record<Provider, ProviderInput>;
  defaults?: Omit<DefaultsInput, 'auth'> & { auth?: Guard<NoInfer<Provider>> };
  routes?: Record<string, RouteDefinition<NoInfer<Service>, NoInfer<Provider>>>;
  [ignored: `x-${string}`]: unknown;
};

/** `url` or `targets`. */
export type ServiceDefinition = Omit<ServiceInput, 'url' | 'targets'> &
  (
    | { url: NonNullable<ServiceInput['url']>; targets?: never }
    | { targets: NonNullable<ServiceInput['targets']>; url?: never }
  );

/** One of `to`, `aggregate`, `respond` and `redirect`. */
export type RouteDefinition<Service extends string, Provider extends string = string> = Omit<
  RouteInput,
  keyof Actions<Service> | 'auth'
> & { auth?: Guard<Provider> } & OneOf<Actions<Service>>;

interface Actions<Service extends string> {
  to: Destinations<Service>;
  aggregate: AggregateDefinition<Service>;
  respond: NonNullable<RouteInput['respond']>;
  redirect: NonNullable<RouteInput['redirect']>;
}

/** Exactly one of the members. */
type OneOf<All> = {
  [Key in keyof All]: { [One in Key]: All[One] } & { [Other in Exclude<keyof All, Key>]?: never };
}[keyof All];

/** Expressions may be functions of the request and of the calls, by name. */
export type AggregateDefinition<Service extends string> = Omit<AggregateInput, 'calls'> & {
  calls: Record<string, CallDefinition<Service>>;
};

export type CallDefinition<Service extends string> = Omit<CallInput, 'to' | 'compensate'> & {
  to?: CallTarget<Service>;
  compensate?: Omit<NonNullable<CallInput['compensate']>, 'to'> & { to?: CallTarget<Service> };
};

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
export function defineGateway<const Service extends string, const Provider extends string = never>(
  definition: GatewayDefinition<Service, Provider>,
): GatewayDefinition<Service, Provider> {
  return definition;
}
