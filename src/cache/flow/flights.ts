import { type Indexed, KeyIndex } from '../../util/key-index.ts';

/** A fill that others may join, by its name. */
export interface Joinable extends Indexed<Joinable> {
  isListed: boolean;
}

/**
 * Fills under way. Not a Map: one that is filled and emptied with each request has a new table every so often, and the
 * one before points to it. As soon as a full collection has moved one to the old space, each later one is kept by the
 * one before, with all requests that stood in it, until the next full collection: a fill then costs a third more.
 */
export class Flights {
  private readonly index = new KeyIndex<Joinable>();

  get size(): number {
    return this.index.size;
  }

  get(name: string): Joinable | undefined {
    return this.index.get(name);
  }

  /** In the place of the one of the same name, which nobody joins any more. */
  add(flight: Joinable): void {
    const earlier = this.index.get(flight.key);
    if (earlier !== undefined) this.remove(earlier);
    flight.isListed = true;
    this.index.add(flight);
  }

  remove(flight: Joinable): void {
    if (!flight.isListed) return;
    flight.isListed = false;
    this.index.remove(flight);
  }
}
