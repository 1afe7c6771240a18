import type { ActiveCheckConfig, GatewayConfig, ServiceConfig, TargetConfig } from '../../config/model.ts';
import { targetAuthority, targetName } from '../target-name.ts';

/** One target that is to be checked, as plain data: it can be sent to another process. */
export interface CheckPlan {
  readonly service: string;
  /** As `Target.name`. */
  readonly target: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** The path of the target's URL; it stands before the path of the check. */
  readonly path: string;
  readonly authority: string;
  readonly tls: ServiceConfig['tls'];
  readonly check: ActiveCheckConfig;
}

/** Every target of a config that is to be checked. */
export function checkPlans({ services }: Pick<GatewayConfig, 'services'>): CheckPlan[] {
  return Object.values(services).flatMap((service) => {
    const { active } = service.health;
    return active === null ? [] : service.targets.map((target) => planOf(service, target, active));
  });
}

function planOf({ name, tls }: ServiceConfig, target: TargetConfig, check: ActiveCheckConfig): CheckPlan {
  const { scheme, host, port, path } = target;
  return {
    service: name,
    target: targetName(target),
    scheme,
    host,
    port,
    path,
    authority: targetAuthority(target),
    tls,
    check,
  };
}
