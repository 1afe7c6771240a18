import type { ConfigOutline } from './config-reading.ts';
import type { Fleet } from './fleet.ts';
import { type ListenerChange, type Listeners, listenerKey } from './listeners.ts';
import { ListenError } from './listening.ts';
import type { Desired } from './worker-process.ts';

type Listen = ConfigOutline['listen'];

/** What is served while listeners move. */
export interface Served {
  readonly listen: Listen;
  readonly version: number;
  readonly config: Desired['config'];
}

/**
 * Opens what another config listens on. Where the system refuses that because of an address which the gateway
 * itself listens on and that config does not (Linux opens no `0.0.0.0:80` beside `127.0.0.1:80`), that one is
 * given up first: its port is closed for the moment between. Who cancels gets it back.
 */
export class ListenerMove {
  private readonly fleet: Fleet;
  private readonly listeners: Listeners;
  private readonly served: Served;
  private change: ListenerChange | null = null;
  private gaveUp = false;

  constructor(fleet: Fleet, listeners: Listeners, served: Served) {
    this.fleet = fleet;
    this.listeners = listeners;
    this.served = served;
  }

  /** By the names of the other config. Throws `ListenError`, and has then changed nothing. */
  async open(wanted: Listen): Promise<Desired['listeners']> {
    try {
      this.change = await this.listeners.prepare(wanted);
    } catch (error) {
      const staying = this.withoutThoseInTheWay(wanted);
      if (!isTaken(error) || staying.length === this.served.listen.length) throw error;
      this.gaveUp = true;
      await this.serveOn(staying);
      this.change = await this.listeners.prepare(wanted).catch(async (again) => {
        await this.cancel();
        throw again;
      });
    }
    return this.change.byName;
  }

  commit(): void {
    this.change?.commit();
  }

  async cancel(): Promise<void> {
    this.change?.cancel();
    if (this.gaveUp) await this.serveOn(this.served.listen);
  }

  /** What is served now, but for what goes and has a port that is wanted at another address. */
  private withoutThoseInTheWay(wanted: Listen): Listen {
    const keys = new Set(wanted.map(listenerKey));
    const { byKey } = this.listeners;
    const newPorts = new Set(wanted.filter((one) => !byKey.has(listenerKey(one))).map(({ port }) => port));
    return this.served.listen.filter((one) => keys.has(listenerKey(one)) || !newPorts.has(one.port));
  }

  private async serveOn(listen: Listen): Promise<void> {
    const { version, config } = this.served;
    const change = await this.listeners.prepare(listen);
    await this.fleet.reload({ version, config, listeners: change.byName });
    change.commit();
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof ListenError && error.code === 'EADDRINUSE';
}
