import type {
  DiscoverConfig,
  RetriesConfig,
  RouteConfig,
  ServiceConfig,
  TargetConfig,
} from '../config/model.ts';
import { mayRepeat, targetName } from '../upstream/index.ts';
import { usualPort } from '../util/service-scheme.ts';

/** What would be tried at a service, and how often. */
export interface Trying {
  /** How the next target is chosen. */
  balance: string;
  /** Tries after the first, at most. */
  retries: number;
  /** What is tried again, as in `retries.on`. */
  on: string[];
}

/** What is tried for a request of this method. */
export function describeTrying(service: ServiceConfig, route: RouteConfig, method: string): Trying {
  const retries = route.retries ?? service.retries;
  const on = reasons(retries, mayRepeat(method, retries));
  return { balance: balanceOf(service), retries: on.length === 0 ? 0 : retries.attempts, on };
}

function balanceOf({ balance }: ServiceConfig): string {
  switch (balance.kind) {
    case 'hash':
      return `hash of ${typeof balance.key === 'string' ? balance.key : 'a function'}`;
    case 'cookie':
      return `cookie ${balance.name}`;
    default:
      return balance.kind;
  }
}

/** Of a method that may not be sent twice only what was never sent is tried again. */
function reasons({ attempts, on }: RetriesConfig, again: boolean): string[] {
  if (attempts === 0) return [];
  return [
    ...(on.connectFailure ? ['connectFailure'] : []),
    ...(again && on.reset ? ['reset'] : []),
    ...(again && on.timeout ? ['timeout'] : []),
    ...(again ? on.statuses.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)) : []),
  ];
}

/** Where a service is asked: its targets, or the name that stands for them. */
export function placesOf({ targets, discover }: ServiceConfig): { url: string; weight: number }[] {
  if (discover === null) return targets.map(place);
  const { scheme } = discover;
  // Of all but addresses the ports come with the answer.
  const shown = discover.kind === 'dns' && discover.type === 'A' ? discover.port : usualPort(scheme);
  return [place({ scheme, host: nameOf(discover), port: shown, path: '', weight: 1 })];
}

/** A service of Kubernetes as its DNS has it. */
function nameOf(discover: DiscoverConfig): string {
  return discover.kind === 'kubernetes' ? `${discover.name}.${discover.namespace}.svc` : discover.name;
}

function place(target: TargetConfig): { url: string; weight: number } {
  return { url: targetName(target), weight: target.weight };
}
