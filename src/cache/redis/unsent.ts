import type { Item } from './batches.ts';
import { type Message, NOTHING, slices } from './message.ts';

/** Kept for a Redis that is away; more become a purge of everything. */
const MOST_KEPT = 10_000;

/** What Redis has still to be told, in bounded memory: each until Redis has numbered it. */
export class Unsent {
  private readonly hard = new Gathered(false);
  private readonly soft = new Gathered(true);
  private readonly onTheWay = new Set<Message>();

  /** Nothing waits for a Redis that can be told. */
  get isEmpty(): boolean {
    return this.hard.isEmpty && this.soft.isEmpty;
  }

  /** Redis has numbered all. */
  get isSettled(): boolean {
    return this.isEmpty && this.onTheWay.size === 0;
  }

  add(message: Message): void {
    (message.soft ? this.soft : this.hard).add(message);
  }

  /** All that Redis hasn't numbered. */
  messages(): Message[] {
    return [...this.onTheWay, ...this.hard.messages(), ...this.soft.messages()];
  }

  /** To be sent now. Each is kept until it is settled; what fails has been added again by then. */
  send(): Item[] {
    const messages = [...this.hard.messages(), ...this.soft.messages()];
    this.hard.clear();
    this.soft.clear();
    return messages.map((message) => {
      this.onTheWay.add(message);
      const settled = () => void this.onTheWay.delete(message);
      return { message, resolve: settled, reject: settled };
    });
  }
}

class Gathered {
  private readonly isSoft: boolean;
  private readonly tags = new Set<string>();
  private readonly prefixes = new Set<string>();
  private floor: string | null = null;
  private all = false;

  constructor(soft: boolean) {
    this.isSoft = soft;
  }

  get isEmpty(): boolean {
    return !this.all && this.tags.size + this.prefixes.size === 0;
  }

  add(message: Message): void {
    this.all ||= message.all;
    this.floor ??= message.floor;
    if (!this.all) {
      for (const tag of message.tags) this.tags.add(tag);
      for (const prefix of message.prefixes) this.prefixes.add(prefix);
      this.all = this.tags.size + this.prefixes.size > MOST_KEPT;
    }
    if (this.all) this.forgetParts();
  }

  messages(): Message[] {
    const { all, floor, isSoft: soft } = this;
    if (all) return [{ ...NOTHING, all, soft, floor }];
    return [
      ...slices([...this.tags]).map((tags) => ({ ...NOTHING, tags, soft, floor: null })),
      ...slices([...this.prefixes]).map((prefixes) => ({ ...NOTHING, prefixes, soft, floor: null })),
    ];
  }

  clear(): void {
    this.forgetParts();
    this.all = false;
    this.floor = null;
  }

  private forgetParts(): void {
    this.tags.clear();
    this.prefixes.clear();
  }
}
