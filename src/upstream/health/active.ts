import type { Clock } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import { type Discover, Discovery } from '../discovery/index.ts';
import { Check, type HealthReport } from './check.ts';
import { type CheckedName, type CheckPlan, type CheckPlans, plansOfName } from './plan.ts';

/** Checks targets in turn, each at its own interval, once for a whole node. */
export class ActiveChecks {
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly tell: (report: HealthReport) => void;
  private readonly discover: Discover | undefined;
  private checks = new Map<string, Check>();
  private names = new Map<string, { name: CheckedName; discovery: Discovery }>();
  private listed: readonly CheckPlan[] = [];

  /** `discover`: how names are followed, where not as their config says. */
  constructor(clock: Clock, random: Random, tell: (report: HealthReport) => void, discover?: Discover) {
    this.clock = clock;
    this.random = random;
    this.tell = tell;
    this.discover = discover;
  }

  /** From now on just these; one that stands as it was keeps its state. */
  apply({ targets, names }: CheckPlans): void {
    this.listed = targets;
    const next: typeof this.names = new Map();
    for (const name of names) {
      const key = JSON.stringify(name);
      next.set(key, this.names.get(key) ?? this.follow(name));
    }
    for (const [key, { discovery }] of this.names) if (!next.has(key)) discovery.close();
    this.names = next;
    this.refresh();
  }

  /** What every target has come to, for who joins later. */
  reports(): HealthReport[] {
    return [...this.checks.values()].map((check) => check.report);
  }

  stop(): void {
    this.apply({ targets: [], names: [] });
  }

  private follow(name: CheckedName) {
    const { clock, random } = this;
    const discovery = new Discovery(name.discover, { clock, random }, this.discover);
    discovery.onChange = () => this.refresh();
    return { name, discovery };
  }

  private refresh(): void {
    const found = [...this.names.values()].flatMap(({ name, discovery }) =>
      plansOfName(name, discovery.targets),
    );
    const next = new Map<string, Check>();
    for (const plan of [...this.listed, ...found]) {
      const key = JSON.stringify(plan);
      next.set(key, this.checks.get(key) ?? new Check(plan, this.clock, this.random, this.tell));
    }
    for (const [key, check] of this.checks) if (!next.has(key)) check.stop();
    this.checks = next;
  }
}
