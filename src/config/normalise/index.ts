import { DEFAULT_NAMES } from '../../auth/index.ts';
import type { GatewayConfig } from '../model.ts';
import type { ConfigInput } from '../schema/types.ts';
import type { ReadBytes } from './action.ts';
import { answersOf } from './answers.ts';
import { providersOf, routeAuthOf } from './auth.ts';
import { cacheOf } from './cache.ts';
import { normaliseChanges } from './changes.ts';
import { normaliseAdmin, normaliseListeners, type ReadPem } from './listener.ts';
import { accessLogOf } from './log.ts';
import { normaliseRoute } from './route.ts';
import { durationOf, record } from './scalars.ts';
import { normaliseService } from './service.ts';
import { tracingOf } from './tracing.ts';
import { transformOf } from './transform.ts';

export { ACME_STORAGE, acmeChallenge } from './acme.ts';
export { aggregateOf } from './aggregate.ts';
export { commonOf, routeAuthOf } from './auth.ts';
export { cacheOf } from './cache.ts';
export { certificatesOf, DEFAULT_ADMIN, hasPlainListener, listenersOf } from './listener.ts';
export { matchOf, normaliseMatch } from './route.ts';
export { routeCacheOf } from './route-cache.ts';
export { mergeTransforms } from './transform.ts';

/** How the files that a config names are read; they have been checked to be there. */
export interface ReadFiles {
  pem: ReadPem;
  bytes: ReadBytes;
  /** Absolute, from one that may be relative to the config's folder. */
  path(given: string): string;
}

/** Writes out a config in which nothing was found wrong: defaults filled in, shorthands in their long form. */
export function normalise(input: ConfigInput, read: ReadFiles): GatewayConfig {
  const defaults = input.defaults ?? {};
  const services = Object.entries(input.services ?? {});
  const policies = record(Object.entries(input.policies ?? {}));
  const routes = Object.entries(input.routes ?? {});
  return {
    listen: normaliseListeners(input.listen, read),
    admin: normaliseAdmin(input.admin, read.pem),
    workers: (input.workers ?? 1) as number | 'auto',
    services: record(services.map(([name, service]) => [name, normaliseService(name, service, read.pem)])),
    changes: normaliseChanges(input.changes),
    policies,
    auth: providersOf(input.auth ?? {}, read),
    identity: {
      subject: (input.identity?.subject ?? DEFAULT_NAMES.subject).toLowerCase(),
      permissions: (input.identity?.permissions ?? DEFAULT_NAMES.permissions).toLowerCase(),
    },
    signing: { key: input.signing?.key === undefined ? null : read.pem(input.signing.key) },
    routes: record(
      routes.map(([name, route]) => [name, normaliseRoute(name, route, defaults, read, policies)]),
    ),
    unmatched: {
      auth: routeAuthOf(defaults.auth, policies, read.pem),
      response: transformOf(defaults.response),
      answers: answersOf({}, defaults, read.bytes),
    },
    cache: cacheOf(input.cache, read.pem),
    drain: {
      delay: durationOf(input.drain?.delay, 0),
      timeout: durationOf(input.drain?.timeout, 30_000),
    },
    overload: input.overload === undefined ? null : { maxDelay: durationOf(input.overload.maxDelay, 0) },
    tracing: tracingOf(input.tracing),
    log: accessLogOf(input.log, read.path),
  };
}
