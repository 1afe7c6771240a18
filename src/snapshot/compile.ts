import {
  type AuthRoom,
  type CompiledAuth,
  issuersOf,
  KEY_SET_PATH,
  METADATA_PATH,
  metadataDispatch,
} from '../auth/index.ts';
import type { Cache, Refreshes } from '../cache/index.ts';
import { mappingStamp } from '../changes/index.ts';
import type { GatewayConfig } from '../config/model.ts';
import { responseScope } from '../expression/index.ts';
import type { Completion } from '../http/exchange.ts';
import type { LimitRoom } from '../limit/index.ts';
import {
  type AheadOfRoutes,
  aheadOf,
  ChallengePath,
  compileTransform,
  isTraceparent,
  type OpenChallenges,
  Overload,
  type PipelineSnapshot,
  type ProxyParts,
  ReadyPath,
  type ReadyState,
} from '../pipeline/index.ts';
import { compileRouter } from '../router/index.ts';
import {
  type AccessLog,
  type Counters,
  type LogFiles,
  type RecentRequests,
  RequestMetrics,
  type TraceRoom,
  Tracer,
  UNMATCHED,
} from '../telemetry/index.ts';
import type { Service, Upstreams } from '../upstream/index.ts';
import { type AddressSet, compileAddresses } from '../util/cidr.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import type { Unfinished } from '../util/unfinished.ts';
import { compileAccessLog, secretParameters } from './access-log.ts';
import { Inside } from './inside.ts';
import { refreshesOf } from './refresh.ts';
import { RouteCompiler } from './route-compiler.ts';
import { variables } from './variables.ts';

/** What compiling a config needs of the gateway around it. */
export interface SnapshotParts {
  /** Told of each request for the node's series; default: nobody is. */
  series?: Completion | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: Counters;
  readonly upstreams: Upstreams;
  readonly auth: AuthRoom;
  readonly cache: Cache;
  readonly logFiles: LogFiles;
  readonly recent: RecentRequests;
  readonly traces: TraceRoom;
  readonly limits: LimitRoom;
  readonly readyState: ReadyState;
  readonly challenges: OpenChallenges;
  /** What aggregates do for clients that may have left. */
  readonly unfinished: Unfinished;
  /** Signs the cookies that keep a client where it was; equal in all workers of a node. */
  readonly affinityKey: () => string;
}

/** A gateway compiled from a config: immutable; all names resolved, all expressions compiled. */
export interface Snapshot extends PipelineSnapshot {
  readonly overload: Overload | null;
  /** What its routes fill again once it is unseated; null: nothing. */
  readonly refreshes: Refreshes | null;
  readonly config: GatewayConfig;
  readonly services: ReadonlyMap<string, Service>;
  /** Resolves once it is known where its services are, as far as that can be known at once. */
  found(): Promise<unknown>;
  /** Makes what it claimed of the gateway's lasting state the state in force. */
  commit(): void;
}

/**
 * Compiles a config that the checks found nothing wrong with. Pure but for claims on lasting state, which only
 * `commit` makes good.
 *
 * @throws ExpressionError, PathPatternError, RangeError for a config that was not checked
 */
export function compileSnapshot(config: GatewayConfig, parts: SnapshotParts): Snapshot {
  const accessLog = compileAccessLog(config, parts);
  const tracer = compileTracer(config, parts);
  const overload = config.overload === null ? null : new Overload(config.overload.maxDelay, parts.clock);
  const upstreams = parts.upstreams.compile(Object.values(config.services));
  const { services } = upstreams;
  const { auth, commit: commitAuth } = parts.auth.compile(config);
  const proxy: ProxyParts = { clock: parts.clock, random: parts.random, variables };
  const { counters, affinityKey, cache, unfinished } = parts;
  const refreshes = refreshesOf(config, parts);
  const { limits, commit: commitLimits } = parts.limits.compile(config.cache);
  const inside = new Inside(parts);
  const compile = new RouteCompiler({
    config,
    services,
    auth,
    proxy,
    counters,
    affinityKey,
    limits,
    cache,
    unfinished,
    refreshes,
    tracer,
    mapping: mappingStamp(config.changes),
    inside: (route) => inside.ask(route),
  });
  const entries = Object.values(config.routes).map((route) => compile.entry(route));
  const issuers = issuersOf(config);
  if (issuers.length > 0)
    entries.push(compile.own('(protected-resource)', METADATA_PATH, metadataDispatch(issuers)));
  const snapshot = {
    config,
    services,
    found: () => upstreams.found(),
    commit() {
      upstreams.commit();
      commitAuth();
      commitLimits();
      parts.logFiles.commit();
      parts.traces.commit();
      parts.recent.secret = secretParameters(config);
    },
    router: compileRouter(entries),
    trusted: compileTrusted(config),
    ahead: aheadOfRoutes(config, parts),
    unmatched: compileTransform(null, config.unmatched.response, responseScope),
    rules: compile.unmatchedRules(),
    wellKnown: wellKnownOf(auth),
    observers: observersOf(config, accessLog, tracer, parts),
    tracer,
    overload,
    refreshes,
  };
  inside.stand(snapshot);
  return snapshot;
}

function compileTracer(config: GatewayConfig, { clock, random, traces }: SnapshotParts): Tracer | null {
  const { tracing } = config;
  const exporter = traces.claim(tracing);
  if (tracing === null || exporter === null) return null;
  const { sample } = tracing;
  return new Tracer({ sample, secret: secretParameters(config), exporter, clock, random, isTraceparent });
}

function aheadOfRoutes(
  { admin, listen }: GatewayConfig,
  { readyState, challenges }: SnapshotParts,
): AheadOfRoutes | null {
  const path = admin?.readyPath ?? null;
  const asked = listen.some(({ tls }) => tls?.acme?.challenge === 'http-01');
  return aheadOf([
    ...(path === null ? [] : [new ReadyPath(path, readyState)]),
    ...(asked ? [new ChallengePath(challenges)] : []),
  ]);
}

/** Where nobody can ask for metrics none are made. */
function observersOf(
  { admin }: GatewayConfig,
  accessLog: AccessLog | null,
  tracer: Tracer | null,
  { counters, recent, series = null }: SnapshotParts,
): readonly Completion[] {
  return [
    ...(admin === null ? [] : [new RequestMetrics(counters.route(UNMATCHED)), recent]),
    ...(admin === null || series === null ? [] : [series]),
    ...(accessLog === null ? [] : [accessLog]),
    ...(tracer === null ? [] : [tracer]),
  ];
}

function wellKnownOf(auth: CompiledAuth): Snapshot['wellKnown'] {
  const keys = auth.wellKnown();
  return keys === null ? null : new Map([[KEY_SET_PATH, keys]]);
}

export function compileTrusted(config: GatewayConfig): ReadonlyMap<string, AddressSet> | null {
  const believing = config.listen.filter((listener) => listener.trustedProxies.length > 0);
  if (believing.length === 0) return null;
  return new Map(believing.map((listener) => [listener.name, compileAddresses(listener.trustedProxies)]));
}
