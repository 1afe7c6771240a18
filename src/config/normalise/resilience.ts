import { parsePercent } from '../../util/percent.ts';
import { parseRate } from '../../util/rate.ts';
import type { BreakerConfig, HealthConfig, RetriesConfig, StatusRange } from '../model.ts';
import type { BreakerInput, HealthInput, RetriesInput } from '../schema/types.ts';
import { countOf, durationOf, listOf } from './scalars.ts';

export function retriesOf(input: RetriesInput | undefined): RetriesConfig {
  if (input === 'none') return { ...retriesOf(undefined), attempts: 0 };
  const on = listOf<string | number>(input?.on ?? ['connectFailure', 'reset']).map(String);
  return {
    attempts: countOf(input?.attempts, 1),
    on: {
      connectFailure: on.includes('connectFailure'),
      reset: on.includes('reset'),
      timeout: on.includes('timeout'),
      statuses: on.filter((word) => /^\d/.test(word)).map(rangeOf),
    },
    methods: listOf(input?.methods),
    budget: fractionOf(input?.budget, 0.2),
  };
}

export function healthOf(input: HealthInput | undefined): HealthConfig {
  const { passive } = input ?? {};
  return {
    active: activeOf(input),
    passive:
      passive === 'none'
        ? null
        : { errors: countOf(passive?.errors, 5), openFor: durationOf(passive?.openFor, 10_000) },
    panic: fractionOf(input?.panic, 0.5),
  };
}

function activeOf(input: HealthInput | undefined): HealthConfig['active'] {
  if (input === undefined) return null;
  const times = {
    interval: durationOf(input.interval, 5_000),
    timeout: durationOf(input.timeout, 1_000),
    unhealthyAfter: countOf(input.unhealthyAfter, 3),
    healthyAfter: countOf(input.healthyAfter, 2),
  };
  if (input.path !== undefined) {
    const status = listOf<string | number>(input.status ?? '200-399').map((range) => rangeOf(String(range)));
    return { kind: 'http', path: input.path, method: input.method ?? 'GET', status, ...times };
  }
  return String(input.tcp ?? false) === 'true' ? { kind: 'tcp', ...times } : null;
}

export function breakerOf(input: BreakerInput | undefined): BreakerConfig {
  const errors = input?.errors === undefined ? null : parseRate(String(input.errors));
  return {
    maxRequests: countOf(input?.maxRequests, 1024),
    maxPending: countOf(input?.maxPending, 1024),
    errorRate: input?.errorRate === undefined ? null : fractionOf(input.errorRate, 0),
    errors: errors === null ? null : { count: errors.count, window: errors.per },
    openFor: durationOf(input?.openFor, 10_000),
  };
}

function fractionOf(text: string | undefined, fallback: number): number {
  return text === undefined ? fallback : parsePercent(text);
}

/** `503`, `500-504`, `5xx`. */
export function rangeOf(text: string): StatusRange {
  if (text.endsWith('xx')) return [Number(text[0]) * 100, Number(text[0]) * 100 + 99];
  const [from, to] = text.split('-').map(Number) as [number, number?];
  return [from, to ?? from];
}
