import type { Clock, Timer } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import type { CheckPlan } from './plan.ts';
import type { Finding } from './probe.ts';

/** What a target's checks have come to. */
export interface HealthReport {
  readonly service: string;
  readonly target: string;
  readonly up: boolean;
  readonly why: string;
}

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

/** Checks targets in turn, each at its own interval, once for a whole node. */
export class ActiveChecks {
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly tell: (report: HealthReport) => void;
  private checks = new Map<string, Check>();

  constructor(clock: Clock, random: Random, tell: (report: HealthReport) => void) {
    this.clock = clock;
    this.random = random;
    this.tell = tell;
  }

  /** From now on just these; one that stands as it was keeps its state. */
  apply(plans: readonly CheckPlan[]): void {
    const next = new Map<string, Check>();
    for (const plan of plans) {
      const key = JSON.stringify(plan);
      next.set(key, this.checks.get(key) ?? new Check(plan, this.clock, this.random, this.tell));
    }
    for (const [key, check] of this.checks) if (!next.has(key)) check.stop();
    this.checks = next;
  }

  /** What every target has come to, for who joins later. */
  reports(): HealthReport[] {
    return [...this.checks.values()].map((check) => check.report);
  }

  stop(): void {
    for (const check of this.checks.values()) check.stop();
    this.checks.clear();
  }
}

class Check {
  report: HealthReport;
  private readonly plan: CheckPlan;
  private readonly clock: Clock;
  private readonly tell: (report: HealthReport) => void;
  private readonly count: HealthCount;
  private timer: Timer | null;
  private abort: (() => void) | null = null;
  private stopped = false;

  constructor(plan: CheckPlan, clock: Clock, random: Random, tell: (report: HealthReport) => void) {
    this.plan = plan;
    this.clock = clock;
    this.tell = tell;
    this.count = new HealthCount(plan.check);
    this.report = { service: plan.service, target: plan.target, up: true, why: 'not checked yet' };
    // At random within the first interval: a start must not ask all targets at one moment.
    this.timer = clock.after(random.number() * Math.min(plan.check.interval, 1000), () => void this.run());
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = null;
    this.abort?.();
  }

  private async run(): Promise<void> {
    this.timer = null;
    const begun = this.clock.now();
    // The HTTP client of Node is loaded by who checks something, not by every worker.
    const { probe } = await import('./probe.ts');
    if (this.stopped) return;
    this.abort = probe(this.plan, (finding) => {
      this.abort = null;
      const left = this.plan.check.interval - (this.clock.now() - begun);
      this.timer = this.clock.after(left, () => void this.run());
      this.judge(finding);
    });
  }

  private judge(finding: Finding): void {
    const { service, target, check } = this.plan;
    if (!this.count.record(finding === null)) return;
    const { up } = this.count;
    const why = up
      ? `${check.healthyAfter} checks in a row succeeded`
      : `${check.unhealthyAfter} checks in a row failed, the last: ${finding}`;
    this.report = { service, target, up, why };
    this.tell(this.report);
  }
}
