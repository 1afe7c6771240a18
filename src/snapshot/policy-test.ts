import type { Identity } from '../auth/index.ts';
import type { GatewayConfig, RouteConfig } from '../config/model.ts';
import { parseJson, type Value } from '../expression/index.ts';
import { compileRoutes, type ExplainRequest, idleAuthRoom, routed } from './explain.ts';
import { scopesOf } from './scopes.ts';

/** Who asks, in a test of policies. Null: nobody shows a credential. */
export interface TestIdentity {
  /** Null: whichever provider the route asks first. */
  readonly provider: string | null;
  readonly subject: string | null;
  readonly permissions: readonly string[];
  readonly scopes: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface Verdict {
  /** Null: somebody outside has to be asked. */
  readonly allowed: boolean | null;
  /** Null: no route takes the request. */
  readonly route: string | null;
  /** In words. */
  readonly why: string;
}

/**
 * Says, for a config, what becomes of a request by somebody: which route takes it, and whether its guard lets it pass.
 * Nobody is asked and nothing is sent: identities are taken as they are given.
 */
export class PolicyTest {
  private readonly config: GatewayConfig;
  private readonly router: ReturnType<typeof compileRoutes>;
  private readonly auth: ReturnType<ReturnType<typeof idleAuthRoom>['compile']>['auth'];
  private readonly room = idleAuthRoom();

  constructor(config: GatewayConfig) {
    this.config = config;
    this.router = compileRoutes(config);
    const { auth, commit } = this.room.compile(config);
    commit();
    this.auth = auth;
  }

  /** @throws BadRequest for a URL or listener that makes no sense */
  verdict(request: ExplainRequest, who: TestIdentity | null): Verdict {
    const { exchange, route, answers } = routed(this.config, this.router, {
      ...request,
      headers: [...request.headers],
    });
    if (route === undefined)
      return { allowed: false, route: null, why: `no route takes it: ${answers[0]?.status ?? 404}` };
    if (route.auth === null) return { allowed: true, route: route.name, why: 'the route is open' };
    const identity = who === null ? null : identityOf(who, route);
    const stopped = stoppedAtDoor(route.auth, identity);
    if (stopped !== null) return { allowed: false, route: route.name, why: stopped };
    exchange.identity = identity;
    const answer = this.auth.permit(route.auth, scopesOf(route).request)?.run(exchange);
    if (answer != null && !(answer instanceof Promise))
      return {
        allowed: false,
        route: route.name,
        why: `${answer.failure?.cause ?? 'not allowed'}: ${answer.status}`,
      };
    const { opa, authzen, allowResponse } = route.auth;
    if (allowResponse !== null && exchange.method !== 'GET')
      return { allowed: false, route: route.name, why: 'allowResponse lets GET alone pass: 403' };
    if (opa !== null || authzen !== null)
      return { allowed: null, route: route.name, why: `${opa === null ? 'authzen' : 'opa'} decides` };
    return { allowed: true, route: route.name, why: 'all that the route asks for holds' };
  }

  close(): void {
    this.room.close();
  }
}

/** Why the route does not take who asks; null: it does. */
function stoppedAtDoor(
  { providers, optional }: NonNullable<RouteConfig['auth']>,
  identity: Identity | null,
): string | null {
  if (providers.length === 0) return null;
  if (identity === null) return optional ? null : 'there is no credential: 401';
  return providers.includes(identity.provider)
    ? null
    : `the route does not ask the provider ${identity.provider}: 401`;
}

function identityOf(who: TestIdentity, { auth }: RouteConfig): Identity {
  const { subject, permissions, scopes } = who;
  const claims = parseJson(Buffer.from(JSON.stringify(who.claims)), { duplicates: 'last' });
  return {
    provider: who.provider ?? auth?.providers[0] ?? '',
    subject,
    permissions,
    scopes,
    claims: claims as ReadonlyMap<Value, Value>,
    expiresAt: null,
    tokenHash: null,
    tags: [],
    sequence: null,
    toService: [],
    toClient: [],
  };
}
