import { parsePercent } from '../../util/percent.ts';
import type { AccessLogConfig, Expression } from '../model.ts';
import type { ConfigInput } from '../schema/types.ts';

/** Whoever says anything of the access log wants one. */
export function accessLogOf(
  input: ConfigInput['log'],
  absolute: (path: string) => string,
): AccessLogConfig | null {
  if (input === undefined || input.access === 'off') return null;
  const { access = 'json', fields = {}, when, sample, file } = input;
  return {
    format: access as AccessLogConfig['format'],
    fields: fields as Record<string, Expression>,
    when: when ?? null,
    sample: sample === undefined ? 1 : parsePercent(sample),
    file: file === undefined ? null : absolute(file),
  };
}
