import { METRICS } from './definitions.ts';
import type { Metric } from './exposition.ts';

/** The table of docs/metrics.md, made from the one table of metrics. */
export function metricsTable(): string {
  const rows = Object.values(METRICS).map(row);
  return ['| metric | type | labels | what |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function row({ name, type, labels, help }: Metric): string {
  const shown = labels.map((label) => `\`${label}\``).join(', ');
  return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
}
