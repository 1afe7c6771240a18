import type { CallRun } from './call-run.ts';

/** `Server-Timing`: how long each call took, in milliseconds, and how it ended where it has no result. */
export function serverTiming(calls: readonly CallRun[], now: number): string {
  return calls.map((call) => entry(call, now)).join(', ');
}

function entry({ call, startedAt, endedAt, skipped, trouble }: CallRun, now: number): string {
  const { name } = call;
  if (skipped) return `${name};desc="skipped"`;
  if (startedAt < 0) return `${name};desc="not sent"`;
  const duration = ((endedAt < 0 ? now : endedAt) - startedAt).toFixed(1);
  const how = trouble !== null ? `;desc="${trouble.kind}"` : endedAt < 0 ? ';desc="cancelled"' : '';
  return `${name};dur=${duration}${how}`;
}
