import type { ActionConfig } from '../config/model.ts';

/** Every service that may be sent to. */
export function servicesOf(action: ActionConfig): string[] {
  if (action.kind === 'proxy') return action.to.map(({ service }) => service);
  if (action.kind !== 'aggregate') return [];
  return action.aggregate.calls
    .flatMap(({ to, compensate }) => [to, ...(compensate === null ? [] : [compensate.to])])
    .flatMap((to) => (to.kind === 'service' ? to.services.map(({ service }) => service) : []));
}
