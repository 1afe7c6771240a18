import { LineBytes } from '../line-bytes.ts';

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

/** Which form an Accept header prefers (RFC 9110 §12.5.1): OpenMetrics where it is named, and not for less than plain text. */
export function formatFor(accept: string | undefined): Format {
  const open = weightIn(accept, 'application/openmetrics-text');
  return open > 0 && open >= weightIn(accept, 'text/plain') ? 'openmetrics' : 'prometheus';
}

/** The most that a media type is given by its name; 0: it is not named, or not wanted. */
function weightIn(accept: string | undefined, type: string): number {
  const entries = (accept ?? '').toLowerCase().split(',');
  const named = entries.map((entry) => entry.split(';').map((part) => part.trim()));
  const weights = named.filter(([name]) => name === type).map(([, ...parameters]) => weightOf(parameters));
  return Math.max(0, ...weights);
}

function weightOf(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => parameter.startsWith('q='));
  return weight === undefined ? 1 : Number(weight.slice(2)) || 0;
}

/** Bytes of the last one: the next is about as long. */
let usualLength = 64 * 1024;

/** Writes metrics as text: Prometheus 0.0.4, or OpenMetrics 1.0. */
export class Exposition {
  private readonly format: Format;
  private readonly text = new LineBytes(usualLength);

  constructor(format: Format) {
    this.format = format;
  }

  /** Begins a metric, whose samples follow until the next one begins. */
  begin({ name, type, help, unit }: Metric): void {
    const open = this.format === 'openmetrics';
    // A counter's family goes without its `_total` in OpenMetrics, an info without `_info`.
    const family = open ? name.replace(/_(?:total|info)$/, '') : name;
    this.text.utf8(`# HELP ${family} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`);
    this.text.utf8(`# TYPE ${family} ${type === 'info' && !open ? 'gauge' : type}\n`);
    if (open && unit !== undefined) this.text.utf8(`# UNIT ${family} ${unit}\n`);
  }

  sample(name: string, labels: Labels, value: number): void {
    this.line(`${name}${labelText(labels)} `, value);
  }

  histogram(
    name: string,
    labels: Labels,
    bounds: readonly number[],
    { buckets, count, sum }: { buckets: readonly number[]; count: number; sum: number },
  ): void {
    const { text } = this;
    const own = labelText(labels);
    // A scrape is mostly these lines, and they all begin alike.
    const from = text.length;
    text.utf8(own === '' ? `${name}_bucket{le="` : `${name}_bucket${own.slice(0, -1)},le="`);
    const to = text.length;
    for (let i = 0; i < bounds.length; i++) {
      if (i > 0) text.again(from, to);
      text.ascii(boundText(bounds[i]!));
      text.count(buckets[i]!);
      text.newline();
    }
    text.again(from, to);
    this.line('+Inf"} ', count);
    this.line(`${name}_sum${own} `, sum);
    this.line(`${name}_count${own} `, count);
  }

  /** All of it, to be written once. */
  toBytes(): Buffer<ArrayBuffer> {
    const { text } = this;
    if (this.format === 'openmetrics') text.ascii('# EOF\n');
    usualLength = text.length + 4096;
    return text.bytes.subarray(0, text.length);
  }

  private line(head: string, value: number): void {
    const { text } = this;
    text.utf8(head);
    if (Number.isInteger(value) && value >= 0) text.count(value);
    else text.ascii(numberText(value));
    text.newline();
  }
}

/** Names with values; or the text that was made of them, where many samples have the same. */
export type Labels = readonly (readonly [name: string, value: string])[] | string;

export function labelText(labels: Labels): string {
  if (typeof labels === 'string' || labels.length === 0) return labels.toString();
  return `{${labels.map(([name, value]) => `${name}="${escaped(value)}"`).join(',')}}`;
}

function escaped(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : value;
}

const boundTexts = new Map<number, string>();

/** The rest of a label and of what is before a count. A bound is a float in both formats; there are few, written for every route. */
function boundText(bound: number): string {
  let text = boundTexts.get(bound);
  if (text === undefined) {
    text = `${Number.isInteger(bound) ? `${bound}.0` : bound}"} `;
    boundTexts.set(bound, text);
  }
  return text;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}
