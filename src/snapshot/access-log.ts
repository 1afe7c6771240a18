import type { AccessLogConfig, GatewayConfig } from '../config/model.ts';
import {
  compileExpression,
  EvaluationFailure,
  type Fields,
  HeaderFields,
  hasMembers,
  logScope,
  ResponseFields,
  toJson,
  type Value,
  type Variables,
} from '../expression/index.ts';
import {
  AccessLog,
  type AccessRecord,
  bounded,
  combinedLine,
  detailOf,
  jsonLine,
  type LogFiles,
  type OwnField,
  onOneLine,
  quoted,
  statusOf,
} from '../telemetry/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import { requestVariables } from './variables.ts';

export interface AccessLogParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logFiles: LogFiles;
}

/**
 * Compiles the access log of a config; null: it has none.
 *
 * @throws the system's error where its file can't be opened
 */
export function compileAccessLog(config: GatewayConfig, parts: AccessLogParts): AccessLog | null {
  const { log } = config;
  const { clock, random, logFiles } = parts;
  const hidden = new Set([...CREDENTIALS, ...placesIn(config, 'header')]);
  if (log === null) {
    logFiles.claimNone();
    return null;
  }
  return new AccessLog({
    line:
      log.format === 'combined'
        ? combinedLine
        : jsonLine(Object.entries(log.fields).map((field) => compileField(field, hidden))),
    when: log.when === null ? null : compileWhen(log.when),
    sample: log.sample,
    secret: secretParameters(config),
    writer: logFiles.claim(log.file),
    clock,
    random,
  });
}

/** Query parameters that some provider takes credentials from. */
export function secretParameters(config: GatewayConfig): ReadonlySet<string> {
  return new Set(placesIn(config, 'query'));
}

/** Names under which providers look for credentials. */
function placesIn({ auth }: GatewayConfig, kind: 'header' | 'query'): string[] {
  const places = Object.values(auth).flatMap((provider) => provider.from ?? []);
  return places.filter((place) => place.in === kind).map(({ name }) => name);
}

/** Headers that are logged only where they are named. */
const CREDENTIALS = ['authorization', 'proxy-authorization', 'cookie', 'set-cookie'];

function compileField(
  [name, source]: [string, AccessLogConfig['fields'][string]],
  hidden: ReadonlySet<string>,
): OwnField {
  const program = compileExpression(source, logScope);
  return {
    name,
    value(record) {
      const value = evaluated(() => program.evaluate(variablesOf(record)));
      if (value === undefined || value === null) return null;
      if (typeof value === 'string') return quoted(value);
      const json = evaluated(() => toJson(withoutHidden(value, hidden)) as Value) as string | undefined;
      if (json === undefined) return null;
      return bounded(json) === json ? onOneLine(json) : quoted(json);
    },
  };
}

/** Of headers that are logged as a whole, or in something else, those are left out in which credentials stand. */
function withoutHidden(value: Value, hidden: ReadonlySet<string>): Value {
  if (Array.isArray(value)) return value.map((item) => withoutHidden(item, hidden));
  if (!hasMembers(value)) return value;
  const members = [...value.entries()].filter(
    ([name]) => !(value instanceof HeaderFields && hidden.has(name as string)),
  );
  return new Map(members.map(([name, member]) => [name, withoutHidden(member, hidden)]));
}

function compileWhen(source: NonNullable<AccessLogConfig['when']>): (record: AccessRecord) => boolean {
  const program = compileExpression(source, logScope, { expects: 'bool' });
  return (record) => evaluated(() => program.evaluate(variablesOf(record))) === true;
}

/** What can't be evaluated is not there. */
function evaluated(evaluate: () => Value): Value | undefined {
  try {
    return evaluate();
  } catch (error) {
    if (error instanceof EvaluationFailure) return undefined;
    throw error;
  }
}

function variablesOf(record: AccessRecord): Variables {
  const request = requestVariables(record.exchange);
  const response = new LoggedFields(record);
  return { get: (name) => (name === 'response' ? response : request.get(name)) };
}

/** `response`, as expressions of the log see it. */
class LoggedFields implements Fields {
  private readonly record: AccessRecord;
  private readonly answer: ResponseFields;

  constructor(record: AccessRecord) {
    this.record = record;
    this.answer = new ResponseFields(statusOf(record), record.answer?.headers ?? [], undefined);
  }

  get(name: string): Value | undefined {
    const { bytes, duration, exchange } = this.record;
    switch (name) {
      case 'bytes':
        return BigInt(bytes);
      case 'duration':
        return duration;
      case 'target':
        return exchange.served?.name;
      case 'detail':
        return detailOf(this.record) ?? undefined;
      default:
        return this.answer.get(name);
    }
  }

  *entries(): Iterable<[string, Value]> {
    for (const name of ['status', 'headers', 'bytes', 'duration', 'target', 'detail']) {
      const value = this.get(name);
      if (value !== undefined) yield [name, value];
    }
  }
}
