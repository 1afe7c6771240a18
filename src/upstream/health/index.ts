export { ActiveChecks, HealthCount, type HealthReport } from './active.ts';
export { type CheckPlan, checkPlans } from './plan.ts';
