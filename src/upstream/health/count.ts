/**
 * Judges one target by its checks: a pure count. Up until proven down, so that a start serves at once; then it
 * takes so many failures in a row to go out, and so many successes to come back.
 */
export class HealthCount {
  up = true;
  private row = 0;
  private readonly unhealthyAfter: number;
  private readonly healthyAfter: number;

  constructor({ unhealthyAfter, healthyAfter }: { unhealthyAfter: number; healthyAfter: number }) {
    this.unhealthyAfter = unhealthyAfter;
    this.healthyAfter = healthyAfter;
  }

  /** True where the finding changed its state. */
  record(well: boolean): boolean {
    this.row = well === this.up ? 0 : this.row + 1;
    if (this.row < (this.up ? this.unhealthyAfter : this.healthyAfter)) return false;
    this.up = !this.up;
    this.row = 0;
    return true;
  }
}
