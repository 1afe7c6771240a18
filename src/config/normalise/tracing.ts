import { parsePercent } from '../../util/percent.ts';
import type { TracingConfig } from '../model.ts';
import type { ConfigInput } from '../schema/types.ts';

export function tracingOf(input: ConfigInput['tracing']): TracingConfig | null {
  if (input === undefined) return null;
  const { otlp, sample, serviceName = 'tidegate', headers = {} } = input;
  return {
    url: withPath(otlp),
    headers: headers as Record<string, string>,
    serviceName,
    sample: sample === undefined ? 1 : parsePercent(sample),
  };
}

/** Collectors take traces at one path, unless another is said (OTLP/HTTP, Endpoint URLs). */
function withPath(otlp: string): string {
  const url = new URL(otlp);
  if (url.pathname === '/') url.pathname = '/v1/traces';
  return url.href;
}
