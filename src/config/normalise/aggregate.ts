import type { AggregateConfig, BatchConfig, CallConfig, CompensateConfig, EachConfig } from '../model.ts';
import type { AggregateInput, CallInput } from '../schema/types.ts';
import { destinationsOf } from './action.ts';
import { retriesOf } from './resilience.ts';
import { routeCacheOf } from './route-cache.ts';
import { countOf, durationOf, record, sizeOf } from './scalars.ts';
import { timeoutOf } from './service.ts';

type CompensateInput = NonNullable<CallInput['compensate']>;
const MEBIBYTE = 1024 * 1024;

/** What is to be called, with all that is not said filled in. */
export function aggregateOf(input: AggregateInput): AggregateConfig {
  const { status } = input;
  return {
    calls: Object.entries(input.calls).map(([name, call]) => callOf(name, call)),
    deadline: durationOf(input.deadline, 30_000),
    status: status === undefined ? null : typeof status === 'function' ? status : String(status),
    headers: record(Object.entries(input.headers ?? {})),
    body: input.body ?? null,
    timing: isTrue(input.timing),
  };
}

function callOf(name: string, input: CallInput): CallConfig {
  return {
    name,
    ...askedOf(input, 'GET'),
    when: input.when ?? null,
    each: input.each === undefined ? null : eachOf(input, input.each),
    retries: input.retries === undefined ? null : retriesOf(input.retries),
    maxBody: sizeOf(input.maxBody, 10 * MEBIBYTE),
    read: input.read ?? 'json',
    optional: isTrue(input.optional),
    fallback: fallbackOf(input),
    onError: onErrorOf(input.onError),
    cache: routeCacheOf(input.cache),
    compensate: input.compensate === undefined ? null : undoOf(input.compensate),
  };
}

function undoOf(input: CompensateInput): CompensateConfig {
  return askedOf(input, input.body === undefined ? 'DELETE' : 'POST');
}

/** Who is asked, and for what. */
function askedOf(input: CompensateInput, usual: string): CompensateConfig {
  const { to, route } = input;
  const inner = typeof to === 'object' && 'service' in to ? to : undefined;
  return {
    to:
      route !== undefined
        ? { kind: 'route', route }
        : {
            kind: 'service',
            services: destinationsOf(to).map(({ service, weight }) => ({ service, weight })),
          },
    path: input.path ?? inner?.path ?? null,
    method: input.method ?? inner?.method ?? usual,
    headers: record(Object.entries(input.headers ?? {})),
    body: input.body ?? null,
    timeout: timeoutOf(input.timeout),
  };
}

function eachOf(input: CallInput, list: NonNullable<CallInput['each']>): EachConfig {
  return {
    list,
    as: input.as ?? 'item',
    concurrency: countOf(input.concurrency, 16),
    maxItems: countOf(input.maxItems, 1000),
    batch: input.batch === undefined ? null : batchOf(input.batch),
  };
}

function batchOf(input: NonNullable<CallInput['batch']>): BatchConfig {
  return {
    key: input.key,
    parts: input.parts ?? null,
    partKey: input.partKey ?? null,
    size: countOf(input.size, 100),
    window: durationOf(input.window, 0),
  };
}

function fallbackOf(input: CallInput): CallConfig['fallback'] {
  if (!Object.hasOwn(input, 'fallback')) return null;
  const { fallback } = input;
  if (typeof fallback === 'string') return { kind: 'expression', expression: fallback };
  if (typeof fallback === 'function') return { kind: 'expression', expression: fallback as () => unknown };
  return { kind: 'value', value: fallback };
}

/** In YAML `onError: null` is no text, and means the word all the same. */
function onErrorOf(input: CallInput['onError']): CallConfig['onError'] {
  if (input === undefined) return { kind: 'word', word: 'fail' };
  if (input === null) return { kind: 'word', word: 'null' };
  if (input === 'fail' || input === 'null' || input === 'fallback' || input === 'pass')
    return { kind: 'word', word: input };
  return { kind: 'expression', expression: input };
}

function isTrue(value: unknown): boolean {
  return String(value ?? false) === 'true';
}
