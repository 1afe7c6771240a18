import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { METRICS, type Metric } from '../../src/telemetry/index.ts';

const read = (name: string) => readFileSync(new URL(`../../deploy/${name}`, import.meta.url), 'utf8');
const byName = new Map<string, Metric>(Object.values(METRICS).map((metric) => [metric.name, metric]));

/** The metric that a name in a query is of: histograms are asked by the names of their parts. */
function metricOf(name: string): Metric | undefined {
  const whole = byName.get(name);
  if (whole !== undefined) return whole;
  const family = byName.get(name.replace(/_(?:bucket|sum|count)$/, ''));
  return family?.type === 'histogram' ? family : undefined;
}

const queries: [file: string, query: string][] = [
  ...(parse(read('alerts.yaml')) as { groups: { rules: { expr: string }[] }[] }).groups.flatMap(({ rules }) =>
    rules.map(({ expr }): [string, string] => ['alerts.yaml', expr]),
  ),
  ...(JSON.parse(read('grafana.json')) as { panels: { targets: { expr: string }[] }[] }).panels.flatMap(
    ({ targets }) => targets.map(({ expr }): [string, string] => ['grafana.json', expr]),
  ),
];

describe('what deploy/ asks Prometheus for is there', () => {
  it.each(queries)('%s: %s', (_, query) => {
    const names = query.match(/tidegate_\w+/g) ?? [];
    expect(names).not.toEqual([]);
    for (const name of names) expect(metricOf(name), name).toBeDefined();
    for (const [, name, labels] of query.matchAll(/(tidegate_\w+)\{([^}]*)\}/g)) {
      const known = [...metricOf(name!)!.labels, 'le'];
      for (const [, label] of labels!.matchAll(/(\w+)\s*[=!]~?=?"/g)) expect(known).toContain(label);
    }
  });
});
