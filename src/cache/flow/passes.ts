import { boundedText, ownText } from '../../util/own-text.ts';

/** Keys remembered in each of two generations. */
const GENERATION = 16_384;
/** How long a key counts as one whose answers can't be stored, in ms. */
const REMEMBERED = 60_000;

/**
 * Keys whose last answer could not be stored: requests for them are not made to wait for each other, since the
 * answer to one is no answer to the next. An answer that can be stored after all ends it.
 */
export class Passes {
  private young = new Map<string, number>();
  private old = new Map<string, number>();

  add(key: string, now: number): void {
    this.young.set(ownText(boundedText(key)), now + REMEMBERED);
    if (this.young.size < GENERATION) return;
    this.old = this.young;
    this.young = new Map();
  }

  has(key: string, now: number): boolean {
    if (this.young.size === 0 && this.old.size === 0) return false;
    const name = boundedText(key);
    const until = this.young.get(name) ?? this.old.get(name);
    return until !== undefined && now < until;
  }

  delete(key: string): void {
    const name = boundedText(key);
    this.young.delete(name);
    this.old.delete(name);
  }
}
