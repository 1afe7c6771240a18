import type {
  AggregateConfig,
  CallConfig,
  CompensateConfig,
  Expression,
  RouteCacheConfig,
  Template,
} from '../config/model.ts';
import {
  type CallKinds,
  callScope,
  compileExpression,
  compilePath,
  compileTemplate,
  DYN,
  type ExpressionOptions,
  extendScope,
  INT,
  listOf,
  namesSaid,
  type PathTemplate,
  type Program,
  parseJson,
  recordOf,
  responseScope,
  type Scope,
  STRING,
  type TextTemplate,
  type Value,
} from '../expression/index.ts';
import { isReservedHeader } from '../http/reserved-headers.ts';

/** Steps that composing an answer may take. */
const BODY_BUDGET = 1_000_000;

/** The request of a call, compiled. */
export interface RequestPrograms {
  /** Null: the client's path. */
  readonly path: PathTemplate | null;
  readonly headers: readonly { readonly name: string; readonly templates: readonly TextTemplate[] }[];
  readonly body: Program | null;
}

/** All expressions of a call, compiled. */
export interface CallPrograms extends RequestPrograms {
  readonly when: Program | null;
  /** `when` looks at the item: it is asked for each. */
  readonly whenOfItem: boolean;
  readonly each: Program | null;
  readonly batch: {
    readonly key: Program;
    readonly parts: Program | null;
    readonly partKey: Program | null;
  } | null;
  readonly fallback: Program | { readonly value: Value } | null;
  readonly onError: Program | null;
  readonly compensate: RequestPrograms | null;
  /** Names of the calls whose results it reads. */
  readonly needs: ReadonlySet<string>;
  /** What its request reads. */
  readonly mentions: ReadonlySet<string>;
  /** What each of its expressions reads, those apart that undo it. */
  readonly reads: readonly ReadonlySet<string>[];
  /** What each of those reads that undo it. */
  readonly undoReads: readonly ReadonlySet<string>[];
}

/** The expressions of the answer, compiled. */
export interface AnswerPrograms {
  readonly status: Program | null;
  readonly body: Program | null;
}

/** Runs one compilation; whoever looks for mistakes catches them here, told where the text stands. */
export type Attempt = <T>(place: readonly (string | number)[], compile: () => T) => T | null;

/** Compiles, and lets what is wrong be thrown. */
export const attemptNothing: Attempt = (_place, compile) => compile();

const ERROR = recordOf({ call: STRING, kind: STRING, status: INT });
const RESPONSE = responseScope.variables.get('response')!;

/** What the calls of an aggregate see, and its answer. */
export function aggregateScope(calls: readonly CallConfig[], scope: Scope): Scope {
  return callScope(kindsOf(calls), scope);
}

function kindsOf(calls: readonly CallConfig[]): CallKinds {
  return Object.fromEntries(calls.map(({ name, each }) => [name, each === null ? 'one' : 'each']));
}

/** @throws ExpressionError, unless `attempt` catches it */
export function compileAnswer(config: AggregateConfig, scope: Scope, attempt: Attempt): AnswerPrograms {
  const { status, body } = config;
  const verbatim = kindsOf(config.calls);
  return {
    status:
      status === null
        ? null
        : attempt(['status'], () => compileExpression(status, scope, { expects: 'int' })),
    body:
      body === null
        ? null
        : attempt(['body'], () => compileExpression(body, scope, { budget: BODY_BUDGET, verbatim })),
  };
}

/**
 * Compiles the expressions of one call, each with the variables of its place.
 *
 * @param scope That of the aggregate: the request and all calls.
 * @throws ExpressionError, unless `attempt` catches it
 */
export function compileCallPrograms(
  config: CallConfig,
  calls: readonly CallConfig[],
  scope: Scope,
  attempt: Attempt,
): CallPrograms {
  const { each, when, fallback, onError, compensate } = config;
  const compiling = new Compiling(attempt, calls);
  const itemScope = each === null ? scope : extendScope(scope, { [each.as]: DYN });
  const asked = each?.batch != null ? extendScope(scope, { items: listOf(DYN) }) : itemScope;
  const request = compiling.request(config, asked, []);
  const own = new Set(compiling.mentions);
  const list = each === null ? null : compiling.list(each.list, scope, ['each']);
  const condition =
    when === null ? null : compiling.expression(when, itemScope, ['when'], { expects: 'bool' });
  const batch = each?.batch == null ? null : compiling.batch(each.batch, itemScope, scope);
  const compiledFallback =
    fallback === null
      ? null
      : fallback.kind === 'value'
        ? { value: valueOfJson(fallback.value) }
        : compiling.expression(fallback.expression, itemScope, ['fallback']);
  const judged =
    onError.kind === 'word'
      ? null
      : compiling.expression(onError.expression, extendScope(itemScope, { error: ERROR }), ['onError']);
  if (config.cache !== null) compiling.cache(config.cache, itemScope);
  const needs = new Set(compiling.needs);
  const reads = [...compiling.reads];
  // What undoes a call runs when it is over: nothing waits for what that reads.
  const undone =
    compensate === null
      ? null
      : compiling.request(compensate, extendScope(itemScope, { response: RESPONSE }), ['compensate']);
  return {
    ...request,
    when: condition,
    whenOfItem: each !== null && when !== null && namesIn(when, condition, [each.as]).length > 0,
    each: list,
    batch,
    fallback: compiledFallback,
    onError: judged,
    compensate: undone,
    needs,
    mentions: own,
    reads,
    undoReads: compiling.reads.slice(reads.length),
  };
}

/** Compiles the texts of one call and notes what they read. */
class Compiling {
  readonly mentions = new Set<string>();
  readonly needs = new Set<string>();
  readonly reads: ReadonlySet<string>[] = [];
  private readonly attempt: Attempt;
  private readonly names: readonly string[];
  private readonly verbatim: CallKinds;

  constructor(attempt: Attempt, calls: readonly CallConfig[]) {
    this.attempt = attempt;
    this.names = calls.map(({ name }) => name);
    this.verbatim = kindsOf(calls);
  }

  request(config: CallConfig | CompensateConfig, scope: Scope, at: readonly string[]): RequestPrograms {
    const { path, body, headers } = config;
    return {
      path:
        path === null
          ? null
          : this.note(
              path,
              this.attempt([...at, 'path'], () => compilePath(path, scope)),
            ),
      headers: Object.entries(headers).map(([name, value]) => ({
        name,
        templates: this.lines(name, value, scope, at),
      })),
      body: body === null ? null : this.expression(body, scope, [...at, 'body'], { verbatim: this.verbatim }),
    };
  }

  expression(
    source: Expression,
    scope: Scope,
    place: readonly string[],
    options: ExpressionOptions = {},
  ): Program | null {
    return this.note(
      source,
      this.attempt(place, () => compileExpression(source, scope, options)),
    );
  }

  /** What can't be a list is a mistake; that it may be null at run time is none. */
  list(source: Expression, scope: Scope, place: readonly string[]): Program | null {
    const listed = this.expression(source, scope, place, { expects: 'list' });
    return listed === null ? null : compileExpression(source, scope);
  }

  batch(
    { key, parts, partKey }: NonNullable<NonNullable<CallConfig['each']>['batch']>,
    itemScope: Scope,
    scope: Scope,
  ): CallPrograms['batch'] {
    const withResponse = extendScope(scope, { response: RESPONSE });
    const withPart = extendScope(scope, { part: DYN });
    const compiledKey = this.expression(key, itemScope, ['batch', 'key']);
    const compiledParts = parts === null ? null : this.expression(parts, withResponse, ['batch', 'parts']);
    const compiledPartKey =
      partKey === null ? null : this.expression(partKey, withPart, ['batch', 'partKey']);
    return compiledKey === null ? null : { key: compiledKey, parts: compiledParts, partKey: compiledPartKey };
  }

  /** What is kept, and under which key and tags, is compiled elsewhere: here it is what must be known by then. */
  cache({ vary, store, tags }: RouteCacheConfig, scope: Scope): void {
    const withResponse = extendScope(scope, { response: RESPONSE });
    if (vary !== null) this.expression(vary, scope, ['cache', 'vary'], { pure: true });
    if (store !== null)
      this.expression(store, withResponse, ['cache', 'store'], { expects: 'bool', pure: true });
    for (const [index, tag] of tags.entries())
      this.note(
        tag,
        this.attempt(['cache', 'tags', index], () => compileTemplate(tag, withResponse, { pure: true })),
      );
  }

  private lines(
    name: string,
    value: Template | Template[],
    scope: Scope,
    at: readonly string[],
  ): TextTemplate[] {
    const place = [...at, 'headers', name];
    const list = Array.isArray(value) ? value : [value];
    return list.flatMap((template, index) => {
      const where = Array.isArray(value) ? [...place, index] : place;
      const compiled = this.attempt(where, () => compileTemplate(template, scope, { into: 'header' }));
      this.note(template, compiled);
      return compiled === null ? [] : [compiled];
    });
  }

  private note<T extends { readonly mentions: ReadonlySet<string> }>(
    source: Expression,
    compiled: T | null,
  ): T | null {
    if (compiled === null) return null;
    this.reads.push(compiled.mentions);
    for (const mention of compiled.mentions) this.mentions.add(mention);
    for (const name of namesIn(source, compiled, this.names)) this.needs.add(name);
    return compiled;
  }
}

/** Which of these variables does a text, or a function by its own words, read? */
function namesIn(
  source: Expression,
  compiled: { readonly mentions: ReadonlySet<string> } | null,
  names: readonly string[],
): string[] {
  const said =
    typeof source === 'function'
      ? namesSaid(String(source))
      : new Set([...(compiled?.mentions ?? [])].map((mention) => mention.split('.', 1)[0]!));
  return names.filter((name) => said.has(name));
}

/** A value of the config as expressions see it. */
function valueOfJson(json: unknown): Value {
  return parseJson(JSON.stringify(json) ?? 'null', { duplicates: 'last' });
}

/** Headers that a call never carries, whatever is said: they would make its answer one that can't be used. */
const NEVER: ReadonlySet<string> = new Set([
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'range',
  'accept-encoding',
]);

/** Why a call can't carry this header; null: it can. */
export function whyNotCarried(name: string): { message: string; advice: string } | null {
  const lower = name.toLowerCase().replaceAll('_', '-');
  if (NEVER.has(lower)) {
    const advice = 'an aggregate needs the whole of each answer, uncoded';
    return { message: `a call never carries "${name}"`, advice };
  }
  if (!isReservedHeader(lower)) return null;
  const advice =
    lower === 'host' ? 'say host: client, service or a template, on the route or the service' : 'remove it';
  return { message: `"${name}" cannot be set: the gateway makes it itself`, advice };
}
