import * as z from 'zod';

/**
 * ExportTraceServiceRequest of opentelemetry-proto 1.x in the JSON of OTLP/HTTP, as strict as its rules are: names in
 * lowerCamelCase, ids in hexadecimal digits (not the base64 of protobuf), 64-bit numbers as texts, enums as
 * numbers, exactly one value of a oneof. What is not in the protocol is an error here.
 */

const unix = z.string().regex(/^[1-9]\d{18}$/);
const int64 = z
  .string()
  .regex(/^(?:0|-?[1-9]\d*)$/)
  .refine((text) => BigInt.asIntN(64, BigInt(text)) === BigInt(text));
const uint32 = z.int().min(0).max(0xffff_ffff);
const idOf = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
    .refine((text) => /[^0]/.test(text), 'an id of nothing but zeros');

const anyValue = z
  .strictObject({
    stringValue: z.string().optional(),
    boolValue: z.boolean().optional(),
    intValue: int64.optional(),
    doubleValue: z.number().optional(),
  })
  .refine((value) => Object.keys(value).length === 1, 'a oneof has exactly one value');
const attributes = z
  .array(z.strictObject({ key: z.string().min(1), value: anyValue }))
  .refine((list) => new Set(list.map(({ key }) => key)).size === list.length, 'a key stands twice');

const link = z.strictObject({
  traceId: idOf(16),
  spanId: idOf(8),
  traceState: z.string().optional(),
  attributes: attributes.optional(),
  droppedAttributesCount: uint32.optional(),
  flags: uint32.optional(),
});

const span = z
  .strictObject({
    traceId: idOf(16),
    spanId: idOf(8),
    traceState: z.string().optional(),
    parentSpanId: idOf(8).optional(),
    flags: uint32.optional(),
    name: z.string().min(1),
    kind: z.int().min(1).max(5),
    startTimeUnixNano: unix,
    endTimeUnixNano: unix,
    attributes,
    droppedAttributesCount: uint32.optional(),
    links: z.array(link).optional(),
    droppedLinksCount: uint32.optional(),
    status: z.strictObject({ message: z.string().optional(), code: z.int().min(0).max(2).optional() }),
  })
  .refine(
    ({ startTimeUnixNano, endTimeUnixNano }) => BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano),
    'it ends before it begins',
  );

const scope = z.strictObject({ name: z.string(), version: z.string().optional() });
const resource = z.strictObject({ attributes, droppedAttributesCount: uint32.optional() });

export const exportTraceServiceRequest = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource,
      scopeSpans: z.array(z.strictObject({ scope, spans: z.array(span), schemaUrl: z.string().optional() })),
      schemaUrl: z.string().optional(),
    }),
  ),
});

export type Attributes = z.infer<typeof attributes>;
export type Span = z.infer<typeof span>;
