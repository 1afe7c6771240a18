import type { ConfigOutline } from './config-reading.ts';
import { inheritedListener, type OpenListener, openListener } from './listening.ts';

type Wanted = ConfigOutline['listen'];

/** Sockets for another set of listeners: bound already, but the old ones are still there. */
export interface ListenerChange {
  readonly byName: Map<string, OpenListener>;
  /** Closes what is not wanted any more. */
  commit(): void;
  /** Closes what was opened for it. */
  cancel(): void;
}

/** Every socket the gateway listens on, by the address in the config. Bound once, whatever the config does. */
export class Listeners {
  private open = new Map<string, OpenListener>();
  private readonly inherited: Map<string, object>;

  /** `inherited`: handles that a predecessor had bound, by `listenerKey`; what is used is taken out of it. */
  constructor(inherited: Map<string, object> = new Map()) {
    this.inherited = inherited;
  }

  get byKey(): ReadonlyMap<string, OpenListener> {
    return this.open;
  }

  /** The same with the real ports, where 0 was asked for. */
  bound(wanted: Wanted): Wanted {
    return wanted.map((entry) => ({ ...entry, port: this.open.get(listenerKey(entry))?.port ?? entry.port }));
  }

  /** Binds what is new; throws `ListenError`, and has then bound nothing. */
  async prepare(wanted: Wanted): Promise<ListenerChange> {
    const next = new Map<string, OpenListener>();
    const fresh: OpenListener[] = [];
    const byName = new Map<string, OpenListener>();
    const cancel = () => {
      for (const listener of fresh) listener.close();
    };
    try {
      for (const entry of wanted) {
        const key = listenerKey(entry);
        let listener = this.open.get(key) ?? next.get(key);
        if (listener === undefined) {
          listener =
            this.inherit(key, entry.host) ?? (await openListener(entry.host, entry.port, { key: 'listen' }));
          fresh.push(listener);
        }
        next.set(key, listener);
        byName.set(entry.name, listener);
      }
    } catch (error) {
      cancel();
      throw error;
    }
    const commit = () => {
      for (const [key, listener] of this.open) if (!next.has(key)) listener.close();
      this.open = next;
    };
    return { byName, commit, cancel };
  }

  close(): void {
    for (const listener of this.open.values()) listener.close();
    this.open.clear();
  }

  private inherit(key: string, host: string): OpenListener | null {
    const handle = this.inherited.get(key);
    if (handle === undefined) return null;
    this.inherited.delete(key);
    return inheritedListener(handle, host);
  }
}

/** Two listeners on port 0 are two ports. */
export function listenerKey({ name, host, port }: Wanted[number]): string {
  return port === 0 ? `${host}|0|${name}` : `${host}|${port}`;
}
