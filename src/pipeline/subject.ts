import { cookieValue } from '../http/cookies.ts';
import type { Exchange } from '../http/exchange.ts';
import { fieldText } from '../http/field-text.ts';
import { getJoined } from '../http/headers.ts';
import { queryValue } from '../http/query.ts';
import type { RouteSubject } from '../router/index.ts';

/**
 * An exchange as the router sees it. One object serves all requests, since matching never waits: nothing is
 * made for a route that asks for no more than a path.
 */
export class RequestSubject implements RouteSubject {
  exchange!: Exchange;

  of(exchange: Exchange): this {
    this.exchange = exchange;
    return this;
  }

  get listener(): string {
    return this.exchange.origin.listener;
  }

  get method(): string {
    return this.exchange.method;
  }

  get path(): string {
    return this.exchange.path;
  }

  get host(): string {
    return this.exchange.host;
  }

  get ip(): string {
    return this.exchange.ip;
  }

  header(lower: string): string | undefined {
    return textOf(getJoined(this.exchange.headers, lower));
  }

  queryValue(name: string): string | undefined {
    return queryValue(this.exchange.query, name);
  }

  cookie(name: string): string | undefined {
    return textOf(cookieValue(this.exchange.headers, name));
  }
}

function textOf(value: string | undefined): string | undefined {
  return value === undefined ? undefined : fieldText(value);
}

/** The request that a preflight announces: its method, and headers of which only the names are known yet. */
export class AnnouncedSubject extends RequestSubject {
  private readonly announcement: { method: string; headers: ReadonlySet<string> };

  constructor(exchange: Exchange, announcement: { method: string; headers: ReadonlySet<string> }) {
    super();
    this.exchange = exchange;
    this.announcement = announcement;
  }

  override get method(): string {
    return this.announcement.method;
  }

  assumes(lower: string): boolean {
    return this.announcement.headers.has(lower);
  }
}
