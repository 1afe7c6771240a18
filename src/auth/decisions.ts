import type { StepTrace } from '../http/exchange.ts';
import type { Clock } from '../util/clock.ts';
import type { Decision, Remembrance, Revocable, RevocationFences } from './contract.ts';
import type { SharedDecisions } from './shared-decisions.ts';

/** What came of asking, and how long it may be kept. */
export interface Asked {
  readonly decision: Decision;
  /** What revokes it; null: that can't be said, so it is never kept. */
  readonly tags: readonly string[] | null;
  /** Milliseconds from now; 0: not at all. */
  readonly keep: number;
  /** Milliseconds from now for which it may still stand in where nobody can say; at least `keep`. */
  readonly keepStale: number;
  /** Bytes, about. */
  readonly weight: number;
  /** It holds for everyone who asked the same. */
  readonly shared: boolean;
}

interface Kept {
  readonly decision: Decision;
  readonly tags: readonly string[];
  readonly sequence: number;
  readonly life: number;
  readonly url: string;
  readonly until: number;
  readonly staleUntil: number;
  readonly weight: number;
}

interface Flight {
  readonly sequence: number;
  readonly outcome: Promise<Asked>;
}

export interface DecisionParts {
  readonly clock: Clock;
  readonly fences: RevocationFences;
  /** May what was found out before be used? */
  readonly memory: Remembrance;
}

export interface DecisionsOptions {
  /** Of accepted and refused ones each. */
  readonly most?: number;
  /** Where nodes keep accepted ones together; null: nowhere. */
  readonly shared?: SharedDecisions | null;
}

/** Where a decision came from, at its step of a trace: `kept`, `asked`, or `joined` to one that was being asked for. */
export const SOURCE = 'tidegate.auth.decision';
/** Of accepted and refused ones each, in a worker. */
const MOST = 10_000;
const MOST_BYTES = 32 * 1024 * 1024;

/**
 * Decisions of one provider, by a hash of all that was shown. Equal questions under way are one. Accepted and
 * refused ones are kept apart, so that a flood of bad credentials unseats no good one. Each carries the number
 * of the newest invalidation from before it was asked for: a purge or a change event of one of its tags makes
 * it dead at once, however its asking and the change interleave. Where nodes share decisions, what another has
 * found out is taken over before anybody is asked, under the number that it had there.
 */
export class Decisions {
  private readonly clock: Clock;
  private readonly fences: RevocationFences;
  private readonly memory: Remembrance;
  private readonly accepted: BoundedMap;
  private readonly refused: BoundedMap;
  private readonly flights = new Map<string, Flight>();
  private readonly shared: SharedDecisions | null;

  constructor(
    { clock, fences, memory }: DecisionParts,
    { most = MOST, shared = null }: DecisionsOptions = {},
  ) {
    this.clock = clock;
    this.fences = fences;
    this.memory = memory;
    this.shared = shared;
    this.accepted = new BoundedMap(most, MOST_BYTES);
    this.refused = new BoundedMap(most, MOST_BYTES);
  }

  /** A decision that is kept and still holds. */
  kept(key: string, trace: StepTrace | null = null): Decision | null {
    const found = this.alive(key);
    if (found === null || this.clock.now() >= found.until) return null;
    trace?.set(SOURCE, 'kept');
    return found.decision;
  }

  /** Asks, or waits for whoever asks the same already. `ask` never rejects. */
  async decide(key: string, ask: () => Promise<Asked>, trace: StepTrace | null = null): Promise<Decision> {
    const arrived = this.fences.sequence;
    for (;;) {
      const under = this.flights.get(key);
      trace?.set(SOURCE, under === undefined ? 'asked' : 'joined');
      const flight = under ?? this.begin(key, ask);
      const asked = await flight.outcome;
      if (under === undefined) return this.orStale(key, asked);
      // What holds for its asker alone, or was overtaken by a change that this request came after.
      if (!asked.shared) return (await ask()).decision;
      const tags = asked.tags ?? [];
      if (flight.sequence >= arrived || !this.isRevoked({ sequence: flight.sequence, tags, url: '' }))
        return this.orStale(key, asked);
    }
  }

  private begin(key: string, ask: () => Promise<Asked>): Flight {
    const { sequence } = this.fences;
    const outcome =
      this.shared === null ? this.ask(key, ask, sequence) : this.takeOver(key, ask, this.shared);
    const flight: Flight = { sequence, outcome };
    this.flights.set(key, flight);
    const landed = () => {
      if (this.flights.get(key) === flight) this.flights.delete(key);
    };
    outcome.then(landed, landed);
    return flight;
  }

  private async ask(key: string, ask: () => Promise<Asked>, sequence: number): Promise<Asked> {
    const life = this.memory.life();
    const asked = await ask();
    this.note(key, asked, sequence, life);
    return asked;
  }

  /** What another node has found out, else what comes of asking, for the others to know. */
  private async takeOver(key: string, ask: () => Promise<Asked>, shared: SharedDecisions): Promise<Asked> {
    const life = this.memory.life();
    const found = await shared.get(key);
    if (found !== null) {
      const { asked, sequence } = found;
      this.note(key, asked, sequence, life);
      // Noted, it is held against what this worker knows, like all that it remembers.
      if (this.kept(key) !== null) return asked;
    }
    const { sequence } = this.fences;
    const asked = await this.ask(key, ask, sequence);
    if (asked.decision.kind === 'allowed') shared.put(key, asked, sequence);
    else if (found !== null && asked.decision.kind !== 'unavailable') shared.delete(key);
    return asked;
  }

  /** Keeps what was found out without asking anybody; `sequence` was taken before. */
  note(key: string, asked: Asked, sequence: number, life = this.memory.life()): void {
    const { decision, tags, keep, keepStale, weight } = asked;
    if (tags === null || decision.kind === 'unavailable') return;
    const now = this.clock.now();
    const [own, other] =
      decision.kind === 'allowed' ? [this.accepted, this.refused] : [this.refused, this.accepted];
    other.delete(key);
    if (keepStale <= 0) return own.delete(key);
    own.set(key, {
      decision,
      tags,
      sequence,
      life,
      url: '',
      until: now + keep,
      staleUntil: now + keepStale,
      weight: weight + 500,
    });
  }

  /** Where nobody can say, what was said before holds, for as long as was asked for. */
  private orStale(key: string, { decision }: Asked): Decision {
    if (decision.kind !== 'unavailable') return decision;
    const found = this.alive(key);
    return found !== null && found.decision.kind === 'allowed' && this.clock.now() < found.staleUntil
      ? found.decision
      : decision;
  }

  private alive(key: string): Kept | null {
    const found = this.accepted.get(key) ?? this.refused.get(key);
    if (found === undefined) return null;
    // A worker that may have missed a revocation remembers nothing until it has caught up.
    if (!this.memory.mayAnswer(found.tags)) return null;
    const holds = found.life === this.memory.life() && !this.isRevoked(found);
    if (holds && this.clock.now() < found.staleUntil) return found;
    this.accepted.delete(key);
    this.refused.delete(key);
    return null;
  }

  private isRevoked(entry: Revocable): boolean {
    return this.fences.isDead(entry) || this.fences.isDoubtful(entry);
  }
}

/** The longest unused goes first. */
class BoundedMap {
  private readonly most: number;
  private readonly mostBytes: number;
  private readonly entries = new Map<string, Kept>();
  private bytes = 0;

  constructor(most: number, mostBytes: number) {
    this.most = most;
    this.mostBytes = mostBytes;
  }

  get(key: string): Kept | undefined {
    const found = this.entries.get(key);
    if (found === undefined) return undefined;
    // Moved to the end only once it is among the older half: that is rare, and as good.
    if (this.entries.size > this.most / 2) {
      this.entries.delete(key);
      this.entries.set(key, found);
    }
    return found;
  }

  set(key: string, entry: Kept): void {
    this.delete(key);
    this.entries.set(key, entry);
    this.bytes += entry.weight;
    while (this.entries.size > this.most || this.bytes > this.mostBytes) {
      const oldest = this.entries.keys().next().value!;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const found = this.entries.get(key);
    if (found === undefined) return;
    this.entries.delete(key);
    this.bytes -= found.weight;
  }
}

/** What came of asking, with what is usual. */
export function asked(
  decision: Decision,
  tags: readonly string[] | null = [],
  keep = 0,
  weight = 0,
  shared = true,
): Asked {
  return { decision, tags, keep, keepStale: keep, weight, shared };
}
