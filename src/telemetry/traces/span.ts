import type { SpanContext } from '../../http/exchange.ts';

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
const ERROR = 2;

/** A request of OTLP/HTTP in JSON (opentelemetry-proto, ExportTraceServiceRequest). */
export function exportRequest(service: string, version: string, spans: readonly Span[]): string {
  const resource = { attributes: attributes({ 'service.name': service, 'service.version': version }) };
  const scopeSpans = [{ scope: { name: 'tidegate', version }, spans: spans.map(encode) }];
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans }] });
}

function encode(span: Span): object {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentId === null ? {} : { parentSpanId: span.parentId }),
    ...(span.state === null ? {} : { traceState: span.state }),
    name: span.name,
    kind: KINDS[span.kind],
    startTimeUnixNano: nanos(span.start),
    endTimeUnixNano: nanos(span.end),
    attributes: attributes(span.attributes),
    ...(span.links.length === 0 ? {} : { links: span.links }),
    status: span.failed ? { code: ERROR } : {},
  };
}

/** 64-bit integers are texts in the JSON of protobuf. */
function nanos(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n);
}

function attributes(values: Attributes): object[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: anyValue(value) }],
  );
}

function anyValue(value: string | number | boolean): object {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { boolValue: value };
    default:
      return { intValue: String(value) };
  }
}
