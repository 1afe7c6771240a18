import type { Source, SourceParts } from '../contract.ts';
import { explain, SourceProblem } from './problem.ts';
import { Remembered } from './remembered.ts';
import { type PostgresConfig, Session } from './session.ts';

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5000;

/** PostgreSQL by logical replication: one session after another, until it is stopped. */
export class PostgresSource implements Source {
  private readonly config: PostgresConfig;
  private readonly parts: SourceParts;
  private readonly remembered: Remembered;
  /** Tells this reader's own connections from those of others. */
  private readonly name: string;
  private session: Session | null = null;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;
  private wake: () => void = () => {};

  constructor(config: PostgresConfig, parts: SourceParts) {
    this.config = config;
    this.parts = parts;
    this.remembered = new Remembered(parts.name);
    this.name = `tidegate ${parts.random.hex(6)}`;
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.session?.stop();
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    const { sink } = this.parts;
    let pause = FIRST_PAUSE;
    while (!this.stopped) {
      this.session = new Session(this.config, this.parts, this.remembered, this.name);
      const error = await this.session
        .run(() => {
          pause = FIRST_PAUSE;
          sink.state('streaming');
        })
        .catch((error: unknown) => error);
      if (this.stopped) return;
      await this.tell(error);
      await this.sleep(pause * (0.5 + this.parts.random.number()));
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  private async tell(error: unknown): Promise<void> {
    const { sink } = this.parts;
    const why = explain(error);
    const closes = error instanceof SourceProblem && error.closes;
    sink.state(closes ? 'lost' : 'connecting', why);
    if (closes) await sink.close(why).catch(() => {});
  }

  private sleep(ms: number): Promise<void> {
    if (this.stopped) return Promise.resolve();
    const { clock } = this.parts;
    return new Promise((resolve) => {
      const timer = clock.after(ms, () => this.wake());
      this.wake = () => {
        clock.cancel(timer);
        resolve();
      };
    });
  }
}
