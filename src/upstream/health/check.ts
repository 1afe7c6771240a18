import type { Clock, Timer } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import { HealthCount } from './count.ts';
import type { CheckPlan } from './plan.ts';
import type { Finding } from './probe.ts';

/** What a target's checks have come to. */
export interface HealthReport {
  readonly service: string;
  readonly target: string;
  readonly up: boolean;
  readonly why: string;
}

/** A first check comes at random within this time, in ms: a start must not ask all targets at one moment. */
const SPREAD = 1000;

/** Checks one target again and again, never twice at a time. */
export class Check {
  report: HealthReport;
  private readonly plan: CheckPlan;
  private readonly clock: Clock;
  private readonly tell: (report: HealthReport) => void;
  private readonly count: HealthCount;
  private timer: Timer | null;
  private abort: (() => void) | null = null;
  private told = false;
  private stopped = false;

  constructor(plan: CheckPlan, clock: Clock, random: Random, tell: (report: HealthReport) => void) {
    this.plan = plan;
    this.clock = clock;
    this.tell = tell;
    this.count = new HealthCount(plan.check);
    this.report = { service: plan.service, target: plan.target, up: true, why: 'nothing speaks against it' };
    this.timer = clock.after(random.number() * Math.min(plan.check.interval, SPREAD), () => void this.run());
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
      const left = Math.max(0, this.plan.check.interval - (this.clock.now() - begun));
      this.timer = this.clock.after(left, () => void this.run());
      this.judge(finding);
    });
  }

  /**
   * Tells of each change, of a target that is out again at each check, and of the first success: who came to
   * know the target late must hear that it is out, who knew it before this check did that it is in.
   */
  private judge(finding: Finding): void {
    const { service, target, check } = this.plan;
    const well = finding === null;
    const changed = this.count.record(well);
    const { up } = this.count;
    if (changed) {
      const why = up
        ? `${check.healthyAfter} checks in a row succeeded`
        : `${check.unhealthyAfter} checks in a row failed, the last: ${finding}`;
      this.report = { service, target, up, why };
    }
    if (up && !changed && (this.told || !well)) return;
    this.told = true;
    this.tell(this.report);
  }
}
