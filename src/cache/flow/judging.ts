import { hasCookieBeside } from '../../http/cookies.ts';
import type { Exchange, Reply } from '../../http/exchange.ts';
import { judgeStorable, type Storable, type StoreRefusal } from '../policy/index.ts';
import { apartByCoding } from './coding.ts';
import type { Answered } from './contract.ts';
import type { FlightRoute } from './flight-route.ts';
import { originTags } from './origin-tags.ts';

/** When an answer was asked for, and when it came: wall clock, ms. */
export interface Times {
  readonly requestAt: number;
  readonly responseAt: number;
}

/** Whether the answer to a fill may be stored, and what it is filed under then. */
export class Judging<T> {
  private readonly route: FlightRoute<T>;
  /** Whose request is filled. */
  private readonly client: Exchange;
  /** Canonical, once it has begun. */
  private url = '';
  /** As far as they can be told by now. */
  tags: readonly string[] = [];

  constructor(route: FlightRoute<T>, client: Exchange) {
    this.route = route;
    this.client = client;
  }

  /** Before the origin is asked. */
  begin(url: string): void {
    this.url = url;
    this.tags = this.withFamilies(this.route.rules.requestTags?.(this.client) ?? []) ?? [];
  }

  /** By the head of the answer; where more than that decides, `settleTags` is asked once more. */
  judge(fill: Exchange, answer: Reply, times: Times): Storable | StoreRefusal {
    const { rules } = this.route;
    const { method, headers: requestHeaders } = fill;
    const judged = judgeStorable({
      method,
      requestHeaders,
      authenticated: rules.authenticated(this.client),
      hasCookie: hasCookieBeside(requestHeaders, rules.ownCookies),
      status: answer.status,
      responseHeaders: answer.headers,
      policy: rules.policy,
      ...times,
    });
    if (!judged.storable) return judged.reason;
    if (answer.tunnel !== null) return 'status';
    const storable = apartByCoding(judged, requestHeaders);
    if (rules.looksIntoBody) return storable;
    return this.settleTags({ status: answer.status, headers: answer.headers, body: null }) ?? storable;
  }

  /** What the answer is filed under, as far as it can be told; why it can't be stored, else null. */
  settleTags(answered: Answered): StoreRefusal | null {
    const { rules } = this.route;
    if (rules.store !== null && !rules.store(this.client, answered)) return 'store';
    const own = rules.tags === null ? [] : rules.tags(this.client, answered);
    if (own === null) return 'tags';
    const tags = this.withFamilies([...new Set([...own, ...originTags(answered.headers, this.url)])]);
    if (tags === null) return 'changes';
    this.tags = tags;
    return null;
  }

  /** Null: changes of these tags are not followed now. */
  private withFamilies(tags: string[]): string[] | null {
    const { fedBy } = this.route;
    if (fedBy === null || tags.length === 0) return tags;
    const families = fedBy.familiesOf(tags);
    return families === null ? null : [...tags, ...families];
  }
}
