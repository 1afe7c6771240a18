import type { GatewayConfig } from '../config/model.ts';
import { type ListeningHandle, type OpenListener, openListener } from '../workers/index.ts';
import type { Gateway } from './gateway.ts';

type Listen = GatewayConfig['listen'];
type Address = Pick<Listen[number], 'host' | 'port'>;

/** Listeners that no supervisor opens, as a config follows another: those of a gateway in the caller's own process. */
export class OwnListeners {
  private readonly gateway: Gateway;
  private listen: Listen = [];

  constructor(gateway: Gateway) {
    this.gateway = gateway;
  }

  get shown(): { name: string; host: string; port: number }[] {
    return this.listen.map(({ name, host }) => ({ name, host, port: this.gateway.port(name) }));
  }

  /** Throws the system's error where an address can't be listened on. */
  async start(listen: Listen): Promise<void> {
    for (const { name, host, port } of listen) await this.gateway.listen(name, { host, port });
    this.listen = listen;
  }

  /** Swaps by `swap`, between opening what is new and draining what is gone. If either fails, nothing has changed. */
  async move(next: Listen, swap: () => Promise<void>): Promise<void> {
    const before = this.listen;
    const opened = await openAll(next.filter((one) => !before.some((old) => isSameAddress(old, one))));
    try {
      await swap();
    } catch (error) {
      for (const listener of opened.values()) listener.close();
      throw error;
    }
    const stays = (one: Listen[number]) => (other: Listen[number]) =>
      one.name === other.name && isSameAddress(one, other);
    for (const one of before) if (!next.some(stays(one))) this.gateway.unlisten(one.name);
    for (const one of next) {
      if (before.some(stays(one))) continue;
      const bound = opened.get(one.name);
      await this.gateway.listen(one.name, bound === undefined ? placeOf(one) : takenFrom(bound));
    }
    this.listen = next;
  }
}

function isSameAddress(one: Address, other: Address): boolean {
  return one.host === other.host && one.port === other.port;
}

/** Binds all of them by name or, where one is refused, none. */
async function openAll(wanted: Listen): Promise<Map<string, OpenListener>> {
  const opened = new Map<string, OpenListener>();
  try {
    for (const { name, host, port } of wanted)
      opened.set(name, await openListener(host, port, { key: 'listen' }));
  } catch (error) {
    for (const listener of opened.values()) listener.close();
    throw error;
  }
  return opened;
}

function placeOf({ host, port }: Address): Address {
  return { host, port };
}

/** Its socket; where the platform gives none away, its address, which is free again. */
function takenFrom(listener: OpenListener): ListeningHandle | Address {
  if (listener.handle !== null) return listener.handle;
  listener.close();
  return placeOf(listener);
}
