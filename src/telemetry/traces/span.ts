/** A span that is over, in the words of OpenTelemetry. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  readonly state: string | null;
  readonly name: string;
  readonly kind: 'server' | 'client';
  /** Milliseconds since 1970, with fractions. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
  readonly failed: boolean;
}

const KINDS = { server: 2, client: 3 } as const;
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
    status: span.failed ? { code: ERROR } : {},
  };
}

/** 64-bit integers are texts in the JSON of protobuf. */
function nanos(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n);
}

function attributes(values: Readonly<Record<string, string | number | undefined>>): object[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined
      ? []
      : [{ key, value: typeof value === 'string' ? { stringValue: value } : { intValue: String(value) } }],
  );
}
