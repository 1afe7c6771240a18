import type { ExplainedCall, ExplainedPlan } from '../snapshot/index.ts';

/**
 * The plan of an aggregate as lines: stage by stage, the calls of one stage run beside each other.
 *
 *     asks 3 calls in 2 stages, within 30s:
 *       1  orders    GET ordering /orders?customer={params.customer}
 *       2  offers    GET discount /offers?tier={orders.body.tier}   after orders, optional
 *          products  GET catalogue /products/{item.sku}   after orders, for each of orders.body.items
 */
export function planLines({ stages, calls, deadline }: ExplainedPlan): string[] {
  const within = deadline === null ? 'without a deadline' : `within ${deadline / 1000}s`;
  const width = Math.max(...calls.map(({ call }) => call.length));
  const lines = [`  asks ${counted(calls.length, 'call')} in ${counted(stages.length, 'stage')}, ${within}:`];
  for (const [index, stage] of stages.entries()) {
    for (const [place, name] of stage.entries()) {
      const call = calls.find((one) => one.call === name)!;
      const number = place === 0 ? `${index + 1}` : '';
      lines.push(`    ${number.padEnd(3)}${name.padEnd(width)}  ${asked(call)}${notes(call)}`);
    }
  }
  return lines;
}

function asked({ method, service, route, path }: ExplainedCall): string {
  return `${method} ${service ?? `route ${route}`} ${path}`;
}

function notes(call: ExplainedCall): string {
  const { after, asks, each, when, optional, onError, compensated } = call;
  const told = [
    ...(after.length === 0 ? [] : [`after ${after.join(' and ')}`]),
    ...(asks === 'each' ? [`for each of ${each}`] : []),
    ...(asks === 'batch' ? [`in batches of ${each}`] : []),
    ...(when === null ? [] : [`when ${when}`]),
    ...(optional ? ['optional'] : []),
    ...(onError === 'fail' ? [] : [`on error ${onError}`]),
    ...(compensated ? ['undone if a later one fails'] : []),
  ];
  return told.length === 0 ? '' : `   ${told.join(', ')}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
