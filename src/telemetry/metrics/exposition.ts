/** How a metric is named and explained: the one place that text, docs and tests are made from. */
export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'info';
  readonly help: string;
  /** The last part of the name, where it is a unit of OpenMetrics. */
  readonly unit?: 'seconds' | 'bytes';
  readonly labels: readonly string[];
}

export type Format = 'prometheus' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** Which form an Accept header asks for. */
export function formatFor(accept: string | undefined): Format {
  return accept?.includes('application/openmetrics-text') ? 'openmetrics' : 'prometheus';
}

/** Writes metrics as text: Prometheus 0.0.4, or OpenMetrics 1.0. */
export class Exposition {
  private readonly format: Format;
  private readonly lines: string[] = [];

  constructor(format: Format) {
    this.format = format;
  }

  /** Begins a metric, whose samples follow until the next one begins. */
  begin({ name, type, help, unit }: Metric): void {
    const open = this.format === 'openmetrics';
    // A counter's family goes without its `_total` in OpenMetrics, an info without `_info`.
    const family = open ? name.replace(/_(?:total|info)$/, '') : name;
    this.lines.push(`# HELP ${family} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`);
    this.lines.push(`# TYPE ${family} ${type === 'info' && !open ? 'gauge' : type}`);
    if (open && unit !== undefined) this.lines.push(`# UNIT ${family} ${unit}`);
  }

  sample(name: string, labels: Labels, value: number): void {
    this.lines.push(`${name}${labelText(labels)} ${numberText(value)}`);
  }

  histogram(
    name: string,
    labels: Labels,
    bounds: readonly number[],
    { buckets, count, sum }: { buckets: readonly number[]; count: number; sum: number },
  ): void {
    // A scrape is mostly these lines: what they share is made once.
    const own = labelText(labels);
    const head = own === '' ? `${name}_bucket{le="` : `${name}_bucket${own.slice(0, -1)},le="`;
    let text = '';
    for (let i = 0; i < bounds.length; i++) text += `${head}${boundText(bounds[i]!)}"} ${buckets[i]!}\n`;
    text += `${head}+Inf"} ${count}\n${name}_sum${own} ${numberText(sum)}\n${name}_count${own} ${count}`;
    this.lines.push(text);
  }

  toString(): string {
    const end = this.format === 'openmetrics' ? '# EOF\n' : '';
    return `${this.lines.join('\n')}\n${end}`;
  }
}

export type Labels = readonly (readonly [name: string, value: string])[];

function labelText(labels: Labels): string {
  if (labels.length === 0) return '';
  return `{${labels.map(([name, value]) => `${name}="${escaped(value)}"`).join(',')}}`;
}

function escaped(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : value;
}

const boundTexts = new Map<number, string>();

/** A bound is a float in both formats. There are few, and each is written for every route. */
function boundText(bound: number): string {
  let text = boundTexts.get(bound);
  if (text === undefined) {
    text = Number.isInteger(bound) ? `${bound}.0` : String(bound);
    boundTexts.set(bound, text);
  }
  return text;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}
