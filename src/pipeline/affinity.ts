import { createHmac } from 'node:crypto';
import { cookieValue } from '../http/cookies.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';

const HASH_LENGTH = 22;
const HASH = new RegExp(`^[A-Za-z0-9_-]{${HASH_LENGTH}}$`);
/** As many routes and services can share one cookie before one of them loses its client's place. */
const MOST = 8;
/** Names whose values are kept. */
const MOST_VALUES = 1000;

/**
 * A cookie that keeps a client with one of several (targets of a service, sides of a route). Its value is a
 * keyed hash of the one it means: it tells nobody what stands behind the gateway, and nobody can make one up.
 * Of routes and services that use one cookie each finds its own hash among those that stand there.
 */
export class Affinity {
  readonly cookie: string;
  private readonly maxAge: number | null;
  private readonly key: () => string;
  private readonly purpose: string;
  private readonly names: () => readonly string[];
  private readonly values = new Map<string, string>();
  /** That `values` are made with. */
  private usedKey = '';

  /**
   * @param key Equal in all workers of a node, and in all nodes that share a store; it may be replaced.
   * @param purpose What the names belong to, so that equal names elsewhere have other values.
   * @param names Those there are now.
   * @param maxAge Seconds; null: until the browser ends.
   */
  constructor(
    cookie: string,
    key: () => string,
    purpose: string,
    names: () => readonly string[],
    maxAge: number | null,
  ) {
    this.cookie = cookie;
    this.key = key;
    this.purpose = purpose;
    this.names = names;
    this.maxAge = maxAge;
  }

  /** The one a client was given; null where it brings no cookie that means one. */
  read(headers: Headers): string | null {
    const given = this.given(headers);
    if (given.length === 0) return null;
    return this.names().find((name) => given.includes(this.valueOf(name))) ?? null;
  }

  /** The hashes in the client's cookie, known or not. */
  private given(headers: Headers): string[] {
    const value = cookieValue(headers, this.cookie);
    return value === undefined ? [] : value.split('.').filter((one) => HASH.test(one));
  }

  private valueOf(name: string): string {
    const key = this.key();
    if (key !== this.usedKey) this.values.clear();
    this.usedKey = key;
    let value = this.values.get(name);
    if (value === undefined) {
      value = createHmac('sha256', key)
        .update(`${this.purpose}\0${name}`)
        .digest('base64url')
        .slice(0, HASH_LENGTH);
      // Targets that are discovered come and go.
      if (this.values.size >= MOST_VALUES) this.values.clear();
      this.values.set(name, value);
    }
    return value;
  }

  /** The Set-Cookie line that keeps the client of this request with `name`, and where else its cookie keeps it. */
  line(name: string, { headers, scheme }: Exchange): string {
    const own = this.names().map((one) => this.valueOf(one));
    const others = this.given(headers).filter((one) => !own.includes(one));
    const value = [...others.slice(1 - MOST), this.valueOf(name)].join('.');
    const age = this.maxAge === null ? '' : `; Max-Age=${this.maxAge}`;
    const secure = scheme === 'https' ? '; Secure' : '';
    return `${this.cookie}=${value}; Path=/${age}; HttpOnly; SameSite=Lax${secure}`;
  }
}
