import {
  type Attempt,
  aggregateScope,
  type CallPrograms,
  compileAnswer,
  compileCallPrograms,
  type PlanCycle,
  planCalls,
  takenNames,
  whyNotCarried,
} from '../../aggregate/index.ts';
import { compileTemplate, readsPartOf, type Scope } from '../../expression/index.ts';
import { isReservedHeader } from '../../http/reserved-headers.ts';
import type { AggregateConfig, CallConfig, Expression } from '../model.ts';
import { aggregateOf } from '../normalise/index.ts';
import type { RouteInput } from '../schema/index.ts';
import { remedyOf } from './beyond-key.ts';
import { namesWhoAsks, REFRESH_OF_ONE } from './cache.ts';
import type { CompileCheck } from './compile.ts';
import type { Findings, Path } from './findings.ts';
import { identityBeyond, requestBeyond } from './whose-answer.ts';

type AggregateInput = NonNullable<RouteInput['aggregate']>;
type CallInput = AggregateInput['calls'][string];

/** What a path must be beside what it is made of; told by whoever checks the paths of destinations. */
export type CheckPath = (template: Expression, path: Path) => void;

/** What else is said about the requests to a service that looks at the client's request; undefined: nothing. */
export type RequestReaders = (service: string) => string | undefined;

/** What only shows when the calls of an aggregate are looked at together. */
export function checkAggregate(
  input: AggregateInput,
  path: Path,
  scope: Scope,
  check: CompileCheck,
  findings: Findings,
  checkPath: CheckPath,
  readers: RequestReaders,
  cache: RouteInput['cache'],
): void {
  // What is wrong with its shape is told already.
  if (typeof input.calls !== 'object' || Object.values(input.calls).some(isMaimed)) return;
  new AggregateCheck(input, path, check, findings, checkPath, readers, cache).run(scope);
}

/** Was something taken out of a call that it can't do without: an entry of a list, the key of its batch? */
function isMaimed(call: CallInput): boolean {
  return hasHole(call) || (call.batch !== undefined && call.batch.key === undefined);
}

function hasHole(value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(hasHole);
}

class AggregateCheck {
  private readonly input: AggregateInput;
  private readonly config: AggregateConfig;
  private readonly path: Path;
  private readonly check: CompileCheck;
  private readonly findings: Findings;
  private readonly checkPath: CheckPath;
  private readonly transforms: RequestReaders;
  private readonly cache: RouteInput['cache'];
  /** Its names clash: what follows from that is no news. */
  private confused = false;

  constructor(
    input: AggregateInput,
    path: Path,
    check: CompileCheck,
    findings: Findings,
    checkPath: CheckPath,
    readers: RequestReaders,
    cache: RouteInput['cache'],
  ) {
    this.input = input;
    this.config = aggregateOf(input);
    this.path = path;
    this.check = check;
    this.findings = findings;
    this.checkPath = checkPath;
    this.transforms = readers;
    this.cache = cache;
  }

  run(scope: Scope): void {
    const { calls } = this.config;
    for (const call of calls) this.names(call);
    if (this.confused) return;
    const all = aggregateScope(calls, scope);
    const programs = calls.map((call) => this.call(call, all));
    this.plan(programs);
    compileAnswer(this.config, all, this.attemptAt(this.path));
    this.answerHeaders(all);
    calls.forEach((call, index) => {
      this.batch(call);
      this.window(call, programs[index]!);
    });
  }

  // --- Names. ---

  private names({ name, each }: CallConfig): void {
    const taken = takenNames(this.config.calls);
    if (taken.includes(name)) {
      this.clash([...this.path, 'calls', name], true, `"${name}" is a variable of every expression here`);
    }
    if (each === null) return;
    const place = [...this.path, 'calls', name, ...('as' in this.input.calls[name]! ? ['as'] : ['each'])];
    const isGiven = 'as' in this.input.calls[name]!;
    if (taken.includes(each.as))
      this.clash(place, false, `"${each.as}" is a variable of every expression here`);
    if (this.config.calls.some((other) => other.name === each.as)) {
      const also = { path: [...this.path, 'calls', each.as], atKey: true };
      const message = isGiven
        ? `"${each.as}" is the name of a call`
        : `an item is called "${each.as}" where "as" says nothing, and so is a call`;
      this.clash(place, false, message, also);
    }
  }

  private clash(
    path: Path,
    atKey: boolean,
    message: string,
    also?: { path: (string | number)[]; atKey: boolean },
  ): void {
    this.confused = true;
    const more = also === undefined ? { atKey } : { atKey, also };
    this.findings.error('TG_CONFIG_NAME', path, message, 'choose another name', more);
  }

  // --- One call. ---

  private call(call: CallConfig, scope: Scope): CallPrograms {
    const at = [...this.path, 'calls', call.name];
    const attempt = this.attemptAt(at);
    const programs = compileCallPrograms(call, this.config.calls, scope, (place, compile) => {
      const compiled = attempt(place, compile);
      if (compiled !== null) {
        this.ownIdentity(call, compiled, place);
        this.refreshed(call, compiled, place);
      }
      return compiled;
    });
    for (const [place, asked] of [
      [at, call],
      [[...at, 'compensate'], call.compensate],
    ] as const) {
      if (asked === null) continue;
      if (asked.path !== null) this.checkPath(asked.path, this.written([...place, 'path']));
      for (const name of Object.keys(asked.headers)) this.carried(name, [...place, 'headers', name]);
    }
    return programs;
  }

  private carried(name: string, path: Path): void {
    const why = whyNotCarried(name);
    if (why !== null) this.findings.error('TG_CONFIG_HEADER', path, why.message, why.advice, { atKey: true });
  }

  private attemptAt(at: Path): Attempt {
    return (place, compile) => {
      const path = this.written([...at, ...place]);
      const compiled = this.check.attempt(path, compile);
      if (compiled !== null) this.identity(compiled, path);
      return compiled;
    };
  }

  /** What is made for one user is not kept for the next. */
  private identity(compiled: unknown, path: Path): void {
    const mentions = memberOf(compiled, 'mentions');
    if (!(mentions instanceof Set)) return;
    this.request(mentions, path);
    const more = identityBeyond(this.cache, mentions);
    if (more === undefined) return;
    const advice = `say vary: ${more}${more === 'auth.subject' ? '' : ' or vary: auth.subject'} in its cache, or take it out here`;
    const message = `${more} shapes the answer of this aggregate, and is not in the key of its cache`;
    this.findings.error('TG_CONFIG_CACHE_IDENTITY', path, message, advice);
  }

  /** Headers that it reads, the answer says itself that it varies by. */
  private request(mentions: ReadonlySet<string>, path: Path): void {
    const more = requestBeyond(this.cache, mentions, false);
    if (more === undefined) return;
    const message = `${more} shapes the answer of this aggregate, and is not in the key of its cache`;
    this.findings.error('TG_CONFIG_CACHE_KEY', path, message, remedyOf(more));
  }

  /** A call's own cache holds its address, not what else it says; that may tell no more of who asks than the key does. */
  private ownIdentity(call: CallConfig, compiled: unknown, place: Path): void {
    const cache = memberOf(memberOf(this.input.calls, call.name), 'cache') as RouteInput['cache'];
    const counts = place[0] === 'headers' || (place[0] === 'body' && call.cache?.key.body !== true);
    const mentions = memberOf(compiled, 'mentions');
    if (cache === undefined || !counts || !(mentions instanceof Set)) return;
    const more = identityBeyond(cache, mentions);
    if (more === undefined) return;
    const at = [...this.path, 'calls', call.name];
    const message = `${more} shapes what the call "${call.name}" asks, and is not in the key of its cache`;
    const advice = `say vary: ${more}${more === 'auth.subject' ? '' : ' or vary: auth.subject'} there, or take it out here`;
    this.findings.error('TG_CONFIG_CACHE_IDENTITY', this.written([...at, ...place]), message, advice, {
      also: { path: [...at, 'cache'], atKey: true },
    });
  }

  /** A call that is filled again has its item by it, and no other call: their run is over by then. */
  private refreshed({ name, cache }: CallConfig, compiled: unknown, place: Path): void {
    const mentions = memberOf(compiled, 'mentions');
    if (cache?.refresh !== true || place[0] !== 'cache' || !(mentions instanceof Set)) return;
    const refresh = [...this.path, 'calls', name, 'cache', 'refresh'];
    const also = { atKey: true, also: { path: [...this.written([...this.path, 'calls', name, ...place])] } };
    const other = this.config.calls.find((one) => readsPartOf(mentions, one.name));
    if (other !== undefined) {
      const message = `"refresh" asks for this call alone, and the call "${other.name}" stands in the ${place[1]} of its cache`;
      const advice = 'name the item, or what the answer says, or remove it';
      this.findings.error('TG_CONFIG_CONFLICT', refresh, message, advice, also);
    }
    if (place[1] !== 'vary' || !namesWhoAsks(mentions)) return;
    this.findings.error('TG_CONFIG_CONFLICT', refresh, REFRESH_OF_ONE.message, REFRESH_OF_ONE.advice, also);
  }

  /** `path` may stand in `to`. */
  private written(path: Path): Path {
    // One tag may stand without a list.
    if (path.at(-2) === 'tags') {
      const tags = path.slice(this.path.length, -1).reduce<unknown>(memberOf, this.input);
      return Array.isArray(tags) ? path : path.slice(0, -1);
    }
    if (path.at(-1) !== 'path') return path;
    const owner = path.slice(this.path.length, -1).reduce<unknown>(memberOf, this.input);
    const to = memberOf(owner, 'to');
    return memberOf(owner, 'path') === undefined && memberOf(to, 'path') !== undefined
      ? [...path.slice(0, -1), 'to', 'path']
      : path;
  }

  private batch({ name, each }: CallConfig): void {
    const batch = each?.batch;
    if (batch == null || batch.partKey !== null || batch.parts !== null) return;
    const message = 'parts that come as a list are found by "partKey", which is not said';
    const advice = 'say partKey: CEL over part; leave it out only where parts is an object by key';
    this.findings.warning('TG_CONFIG_MISSING', [...this.path, 'calls', name, 'batch'], message, advice, {
      atKey: true,
    });
  }

  /** What is gathered from different clients' requests must be the same whoever of them asks. */
  private window({ name, each, to, compensate }: CallConfig, programs: CallPrograms): void {
    const batch = each?.batch;
    if (batch == null || batch.window === 0) return;
    const path = [...this.path, 'calls', name, 'batch', 'window'];
    const own = rootsOf([programs]).find((root) => root !== 'items');
    const found = rootsOf([programs.batch?.parts, programs.batch?.partKey]);
    const other = own ?? found.find((root) => root !== 'response' && root !== 'part');
    const report = (message: string, advice: string) =>
      this.findings.error('TG_CONFIG_CONFLICT', path, message, advice, { atKey: true });
    if (other !== undefined) {
      const message = `items of different requests are gathered here, but the call looks at "${other}"`;
      report(message, 'let it read the items alone, or leave window out');
    }
    if (to.kind === 'route')
      report(
        'items of different requests are gathered here, but a route is asked for one client',
        'ask the service',
      );
    if (compensate !== null)
      report('what is gathered from different requests cannot be undone for one of them', 'leave window out');
    const services = to.kind === 'service' ? to.services : [];
    const transform = services
      .map(({ service }) => this.transforms(service))
      .find((found) => found !== undefined);
    if (transform !== undefined) {
      const message = `items of different requests are gathered here, but ${transform} looks at the request`;
      report(message, 'leave window out, or let each request have its own call');
    }
  }

  // --- All of them. ---

  private plan(programs: readonly CallPrograms[]): void {
    const { calls } = this.config;
    const plan = planCalls(
      calls.map(({ name, method }, index) => ({ name, method, needs: programs[index]!.needs })),
    );
    if ('cycle' in plan) this.cycle(plan);
  }

  private cycle({ cycle, byOrder }: PlanCycle): void {
    const [first = ''] = cycle;
    const path = [...this.path, 'calls', first];
    if (cycle.length === 1) {
      const advice = 'a call sees the results of others, and its own only in compensate';
      this.findings.error('TG_CONFIG_CYCLE', path, `the call "${first}" waits for itself`, advice, {
        atKey: true,
      });
      return;
    }
    const ring = [...cycle, first];
    const order = byOrder.find(([name, before]) => cycle.includes(name) && cycle.includes(before));
    const steps = ring.slice(0, -1).map((name, index) => {
      const next = ring[index + 1]!;
      const due = byOrder.some(([a, b]) => a === name && b === next)
        ? ' (which changes something before it)'
        : '';
      return `${index === 0 ? `"${name}" waits for` : 'that for'} "${next}"${due}`;
    });
    const advice =
      order === undefined
        ? 'break the ring: one of them must do without the next'
        : `calls that change something run in the order of the file: let "${order[1]}" stand behind "${order[0]}"`;
    this.findings.error(
      'TG_CONFIG_CYCLE',
      path,
      `these calls wait for each other: ${steps.join(', ')}`,
      advice,
      {
        atKey: true,
        also: { path: [...this.path, 'calls', cycle[1]!], atKey: true },
      },
    );
  }

  private answerHeaders(scope: Scope): void {
    for (const [name, value] of Object.entries(this.config.headers)) {
      const place = [...this.path, 'headers', name];
      if (isReservedHeader(name.toLowerCase())) {
        const message = `"${name}" cannot be set: the gateway makes it itself`;
        this.findings.error('TG_CONFIG_HEADER', place, message, 'remove it', { atKey: true });
      }
      const values = Array.isArray(value) ? value : [value];
      for (const [index, template] of values.entries()) {
        const where = Array.isArray(value) ? [...place, index] : place;
        const compiled = this.check.attempt(where, () =>
          compileTemplate(template, scope, { into: 'header' }),
        );
        if (compiled !== null) this.identity(compiled, where);
      }
    }
  }
}

/** The variables that something reads. */
function rootsOf(
  programs: readonly ({ readonly mentions: ReadonlySet<string> } | null | undefined)[],
): string[] {
  return programs.flatMap((program) =>
    [...(program?.mentions ?? [])].map((mention) => mention.split('.', 1)[0]!),
  );
}

function memberOf(owner: unknown, key: string | number): unknown {
  return typeof owner === 'object' && owner !== null && Object.hasOwn(owner, key)
    ? (owner as Record<string | number, unknown>)[key]
    : undefined;
}
