import { createHmac } from 'node:crypto';
import { cookieValue } from '../http/cookies.ts';
import type { Headers } from '../http/headers.ts';

/**
 * A cookie that keeps a client with one of several (targets of a service, sides of a route). Its value is a
 * keyed hash of the one it means: it tells nobody what stands behind the gateway, and nobody can make one up.
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
    const value = cookieValue(headers, this.cookie);
    if (value === undefined) return null;
    return this.names().find((name) => this.valueOf(name) === value) ?? null;
  }

  private valueOf(name: string): string {
    const key = this.key();
    if (key !== this.usedKey) this.values.clear();
    this.usedKey = key;
    let value = this.values.get(name);
    if (value === undefined) {
      value = createHmac('sha256', key).update(`${this.purpose}\0${name}`).digest('base64url').slice(0, 22);
      this.values.set(name, value);
    }
    return value;
  }

  /** The Set-Cookie line that keeps a client with `name`. */
  line(name: string, secure: boolean): string {
    const age = this.maxAge === null ? '' : `; Max-Age=${this.maxAge}`;
    return `${this.cookie}=${this.valueOf(name)}; Path=/${age}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  }
}
