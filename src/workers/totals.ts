/**
 * Counts that only grow, over workers that each count for themselves: what one has counted stays when it ends, does not
 * answer, or begins anew.
 */
export class Totals {
  private readonly sums = new Map<string, number>();
  private readonly known = new WeakMap<object, ReadonlyMap<string, number>>();

  /** So much a worker has counted by now, by name. */
  heard(worker: object, counts: ReadonlyMap<string, number>): void {
    const before = this.known.get(worker);
    for (const [name, count] of counts) {
      const last = before?.get(name) ?? 0;
      this.sums.set(name, this.of(name) + (count < last ? count : count - last));
    }
    this.known.set(worker, counts);
  }

  of(name: string): number {
    return this.sums.get(name) ?? 0;
  }

  /** Drops what has another name than these. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.sums.keys()) if (!names.has(name)) this.sums.delete(name);
  }
}
