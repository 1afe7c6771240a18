export { ActiveChecks } from './active.ts';
export type { HealthReport } from './check.ts';
export { HealthCount } from './count.ts';
export { type CheckPlans, checkPlans } from './plan.ts';
