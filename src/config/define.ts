import type {
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

/** One of `to`, `respond` and `redirect`. */
export type RouteDefinition<Service extends string, Provider extends string = string> = Omit<
  RouteInput,
  'to' | 'respond' | 'redirect' | 'auth'
> & { auth?: Guard<Provider> } & (
    | { to: Destinations<Service>; respond?: never; redirect?: never }
    | { respond: NonNullable<RouteInput['respond']>; to?: never; redirect?: never }
    | { redirect: NonNullable<RouteInput['redirect']>; to?: never; respond?: never }
  );

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
