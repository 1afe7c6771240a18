import type {
  ActiveCheckConfig,
  DiscoverConfig,
  GatewayConfig,
  ServiceConfig,
  TargetConfig,
} from '../../config/model.ts';
import type { DiscoveredTarget } from '../discovery/index.ts';
import { askedAs, targetAuthority, targetName } from '../target-name.ts';

/** One target that is to be checked, as plain data: it can be sent to another process. */
export interface CheckPlan {
  readonly service: string;
  /** As `Target.name`. */
  readonly target: string;
  readonly scheme: TargetConfig['scheme'];
  readonly host: string;
  readonly port: number;
  /** The path of the target's URL; it stands before the path of the check. */
  readonly path: string;
  readonly authority: string;
  /** By which a certificate is judged, unless `tls` says otherwise. */
  readonly certified: string;
  readonly tls: ServiceConfig['tls'];
  readonly check: ActiveCheckConfig;
}

/** A name that stands for targets which are to be checked, as plain data. */
export interface CheckedName {
  readonly service: string;
  readonly discover: DiscoverConfig;
  readonly tls: ServiceConfig['tls'];
  readonly check: ActiveCheckConfig;
}

/** All that is to be checked of a config. */
export interface CheckPlans {
  readonly targets: readonly CheckPlan[];
  readonly names: readonly CheckedName[];
}

export function checkPlans({ services }: Pick<GatewayConfig, 'services'>): CheckPlans {
  const targets: CheckPlan[] = [];
  const names: CheckedName[] = [];
  for (const { name: service, health, discover, tls, targets: listed } of Object.values(services)) {
    const check = health.active;
    if (check === null) continue;
    if (discover !== null) names.push({ service, discover, tls, check });
    else targets.push(...listed.map((target) => planOf({ service, tls, check }, target, target.host)));
  }
  return { targets, names };
}

/** An address that a name stands for is asked under the name, as requests are. */
export function plansOfName(name: CheckedName, found: readonly DiscoveredTarget[]): CheckPlan[] {
  const { discover } = name;
  return found.map((target) =>
    planOf(name, { ...target, scheme: discover.scheme, path: '' }, askedAs(discover, target.host)),
  );
}

function planOf(
  { service, tls, check }: Pick<CheckPlan, 'service' | 'tls' | 'check'>,
  target: Omit<TargetConfig, 'weight'>,
  certified: string,
): CheckPlan {
  const { scheme, host, port, path } = target;
  const authority = targetAuthority({ scheme, host: certified, port });
  return { service, target: targetName(target), scheme, host, port, path, authority, certified, tls, check };
}
