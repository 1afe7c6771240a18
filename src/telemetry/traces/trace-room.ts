import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../log.ts';
import { Exporter, type ExporterConfig } from './exporter.ts';

export interface TraceRoomParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
}

/** The exporter of a gateway's traces, across reloads. */
export class TraceRoom {
  private readonly parts: TraceRoomParts;
  private inForce: { key: string; exporter: Exporter } | null = null;
  private claimed: { key: string; exporter: Exporter } | null = null;

  constructor(parts: TraceRoomParts) {
    this.parts = parts;
  }

  /** Null: nothing is recorded. */
  claim(config: ExporterConfig | null): Exporter | null {
    const key = JSON.stringify(config);
    if (config === null) this.claimed = null;
    else if (this.inForce?.key === key) this.claimed = this.inForce;
    else this.claimed = { key, exporter: new Exporter(config, this.parts) };
    return this.claimed?.exporter ?? null;
  }

  /** What was claimed last is what counts now. */
  commit(): void {
    if (this.inForce !== this.claimed) void this.inForce?.exporter.close();
    this.inForce = this.claimed;
  }

  async close(): Promise<void> {
    await this.inForce?.exporter.close();
  }
}
