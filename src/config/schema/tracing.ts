import { share } from './answers.ts';
import { httpUrl } from './auth-values.ts';
import { type Complaint, object, record } from './kit.ts';
import { filledText, headerName } from './values.ts';

function headerComplaint(name: string): Complaint | null {
  return headerName.safeParse(name).success
    ? null
    : { message: `"${name}" is not the name of a header`, advice: 'letters, digits and -' };
}

/** Traces, by OpenTelemetry. */
export const tracing = object(
  'Tracing',
  'tracing',
  {
    otlp: httpUrl.describe(
      'Where traces are sent, by OTLP over HTTP: http://127.0.0.1:4318; /v1/traces is added where there is no path.',
    ),
    sample: share('write a share above 0%, or leave tracing out')
      .optional()
      .describe(
        'The share of traces that begin here and are recorded; what comes with a traceparent goes by its flag. Default 100%.',
      ),
    serviceName: filledText.optional().describe('service.name of the spans. Default tidegate.'),
    headers: record('header values by name', filledText, headerComplaint)
      .optional()
      .describe('Sent to the collector, to show who the gateway is.'),
  },
  [],
  { wrap: 'otlp' },
);
