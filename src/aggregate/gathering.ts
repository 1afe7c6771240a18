import type { CallConfig } from '../config/model.ts';
import type { Value } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import { getHeader, getHeaders, type Headers } from '../http/headers.ts';
import type { Clock } from '../util/clock.ts';
import { type Addressee, type Asker, Asking, type Tells } from './asking.ts';
import { partsByKey } from './batch.ts';
import { type Decision, isWanted } from './decision.ts';
import type { CallPrograms } from './programs.ts';
import { questionOf } from './question.ts';
import { readResult } from './read.ts';
import { CallResult } from './result.ts';
import { type Trouble, trouble } from './trouble.ts';

/** What one request wants of a call that is shared with others. */
export interface Share {
  readonly exchange: Exchange;
  readonly carried: Headers;
  /** By their identity, so that those of several requests that are equal are asked once. */
  readonly items: ReadonlyMap<string, Value>;
  /** What becomes of an answer with a status that is none of success. */
  decision(status: number): Decision;
  answered(status: number, headers: Headers, parts: ReadonlyMap<string, Value>, tells: Tells): void;
  failed(why: Trouble): void;
}

/**
 * Gathers the items of different clients' requests for the length of a window, so that one call asks for all of
 * them. What it sends reads the items alone, and it carries nothing of any one client: that is checked when the
 * config is loaded.
 */
export class Gathering {
  private readonly config: CallConfig;
  private readonly programs: CallPrograms;
  private readonly addressee: Addressee;
  private readonly clock: Clock;
  /**
   * Open calls, by what a service may see of a client, the host it asked for and its language, and by how new the
   * answer must be.
   */
  private readonly open = new Map<string, SharedCall>();

  constructor(config: CallConfig, programs: CallPrograms, addressee: Addressee, clock: Clock) {
    this.config = config;
    this.programs = programs;
    this.addressee = addressee;
    this.clock = clock;
  }

  /** Takes part in the next call. Gives what leaves it again; nothing is told from then on. */
  join(share: Share): () => void {
    const { window, size } = this.config.each!.batch!;
    const group = groupOf(share);
    let call = this.open.get(group);
    if (call === undefined || call.size + share.items.size > size) {
      if (call !== undefined) this.send(group, call);
      call = new SharedCall(this.config, this.programs, this.addressee, this.clock);
      this.open.set(group, call);
      const opened = call;
      call.timer = this.clock.after(window, () => this.send(group, opened));
    }
    call.add(share);
    const joined = call;
    if (call.size >= size) this.send(group, call);
    return () => {
      if (joined.leave(share) && this.open.get(group) === joined) this.close(group, joined);
    };
  }

  private send(group: string, call: SharedCall): void {
    this.close(group, call);
    call.send();
  }

  private close(group: string, call: SharedCall): void {
    if (call.timer !== null) this.clock.cancel(call.timer);
    call.timer = null;
    if (this.open.get(group) === call) this.open.delete(group);
  }
}

function groupOf({ exchange, carried }: Share): string {
  const { scheme, authority, madeFor } = exchange;
  const after = getHeaders((madeFor ?? exchange).headers, 'tidegate-after');
  return JSON.stringify([scheme, authority, getHeader(carried, 'accept-language'), after]);
}

/** One call for the items of several requests. */
class SharedCall implements Asker {
  timer: object | null = null;
  private readonly config: CallConfig;
  private readonly programs: CallPrograms;
  private readonly addressee: Addressee;
  private readonly clock: Clock;
  private readonly shares = new Set<Share>();
  private readonly items = new Map<string, Value>();
  private asking: Asking | null = null;
  private sent = false;

  constructor(config: CallConfig, programs: CallPrograms, addressee: Addressee, clock: Clock) {
    this.config = config;
    this.programs = programs;
    this.addressee = addressee;
    this.clock = clock;
  }

  get size(): number {
    return this.items.size;
  }

  add(share: Share): void {
    this.shares.add(share);
    for (const [identity, item] of share.items) this.items.set(identity, item);
  }

  /** True: nobody is left. A call that nobody waits for is given up. */
  leave(share: Share): boolean {
    this.shares.delete(share);
    if (this.shares.size > 0) return false;
    this.asking?.cancel();
    this.sent = true;
    return true;
  }

  send(): void {
    const [first] = this.shares;
    if (first === undefined || this.sent) return;
    this.sent = true;
    const { exchange } = first;
    const items = [...this.items.values()];
    const vars = { get: (name: string) => (name === 'items' ? items : undefined) };
    const language = getHeader(first.carried, 'accept-language');
    const carried: Headers = language === undefined ? [] : ['accept-language', language];
    const question = questionOf(this.programs, this.config.method, exchange, vars, carried);
    if ('kind' in question) return this.failed(question);
    this.asking = new Asking(exchange, question, this.addressee, this, this.clock, true);
    this.asking.start();
  }

  wants(status: number): boolean {
    return [...this.shares].some((share) => isWanted(share.decision(status)));
  }

  /** Each takes it as it says itself: one may accept what is a failure to another. */
  answered(status: number, headers: Headers, body: Buffer, tells: Tells): void {
    const parts = this.partsOf(status, headers, body);
    const good = status >= 200 && status <= 299;
    for (const share of this.shares) {
      if (!good && share.decision(status) !== 'accept')
        share.failed(trouble('status', `status ${status}`, { status, headers, body }));
      else if (parts instanceof Map) share.answered(status, headers, parts, tells);
      else share.failed(parts);
    }
  }

  private partsOf(status: number, headers: Headers, body: Buffer): Map<string, Value> | Trouble {
    const result = readResult(this.config.read, status, headers, body);
    if (!(result instanceof CallResult)) return result;
    const parts = partsByKey(this.programs.batch!, NO_VARIABLES, result);
    return parts instanceof Map ? parts : { ...parts, status, headers };
  }

  failed(why: Trouble): void {
    for (const share of this.shares) share.failed(why);
  }
}

const NO_VARIABLES = { get: () => undefined };
