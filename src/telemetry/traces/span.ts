import type { SpanContext } from '../../http/exchange.ts';

/** Names are those of this program, and need no escapes in JSON. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** A span that is over, in the words of OpenTelemetry. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  readonly state: string | null;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client';
  /** Milliseconds since 1970, with fractions. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  readonly links: readonly SpanContext[];
  readonly failed: boolean;
}

const KINDS = { internal: 1, server: 2, client: 3 } as const;
/** STATUS_CODE_ERROR. */
const FAILED = '{"code":2}';

/** A request of OTLP/HTTP in JSON (opentelemetry-proto, ExportTraceServiceRequest), of spans that are in JSON already. */
export function exportRequest(service: string, version: string, spans: readonly string[]): string {
  const resource = attributes({ 'service.name': service, 'service.version': version });
  const scope = JSON.stringify({ name: 'tidegate', version });
  const scopeSpans = `[{"scope":${scope},"spans":[${spans.join(',')}]}]`;
  return `{"resourceSpans":[{"resource":{"attributes":${resource}},"scopeSpans":${scopeSpans}}]}`;
}

/** A span in the JSON of OTLP: written as it ends, so that a batch of them holds nobody up. */
export function encodeSpan(span: Span): string {
  const { parentId, state, links } = span;
  let text = `{"traceId":"${span.traceId}","spanId":"${span.spanId}"`;
  if (parentId !== null) text += `,"parentSpanId":"${parentId}"`;
  if (state !== null) text += `,"traceState":${JSON.stringify(state)}`;
  text += `,"name":${JSON.stringify(span.name)},"kind":${KINDS[span.kind]}`;
  text += `,"startTimeUnixNano":"${nanos(span.start)}","endTimeUnixNano":"${nanos(span.end)}"`;
  text += `,"attributes":${attributes(span.attributes)}`;
  if (links.length > 0) text += `,"links":${JSON.stringify(links)}`;
  return `${text},"status":${span.failed ? FAILED : '{}'}}`;
}

/** 64-bit integers are texts in the JSON of protobuf. A double holds microseconds since 1970, and no nanoseconds. */
function nanos(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}

function attributes(values: Attributes): string {
  let text = '';
  for (const key in values) {
    const value = values[key];
    if (value === undefined || (typeof value === 'number' && !Number.isFinite(value))) continue;
    text += `${text === '' ? '' : ','}{"key":"${key}","value":${anyValue(value)}}`;
  }
  return `[${text}]`;
}

function anyValue(value: string | number | boolean): string {
  switch (typeof value) {
    case 'string':
      return `{"stringValue":${JSON.stringify(value)}}`;
    case 'boolean':
      return `{"boolValue":${value}}`;
    default:
      return Number.isSafeInteger(value) ? `{"intValue":"${value}"}` : `{"doubleValue":${value}}`;
  }
}
