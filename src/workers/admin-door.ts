import type { Logger } from '../telemetry/index.ts';
import type { AdminServer, NodeView, StartAdmin } from './admin-contract.ts';
import type { ConfigOutline } from './config-reading.ts';
import { inheritedListener, type OpenListener, openListener } from './listening.ts';

type Admin = ConfigOutline['admin'];

/** The address of the admin listener, bound once, and who answers there. Without `admin` in the config there is neither. */
export class AdminDoor {
  private readonly startAdmin: StartAdmin;
  private readonly log: Logger;
  private socket: OpenListener | null = null;
  /** The address that it was bound to, whatever the config says by now. */
  private key = '';
  private server: AdminServer | null = null;

  constructor(startAdmin: StartAdmin, log: Logger) {
    this.startAdmin = startAdmin;
    this.log = log;
  }

  /** @param inherited Handles that a predecessor had bound; what is used is taken out of it. Throws `ListenError`. */
  async bind(admin: Admin, inherited: Map<string, object> | undefined): Promise<void> {
    if (admin === null) return;
    this.key = keyOf(admin);
    const handle = inherited?.get(this.key);
    inherited?.delete(this.key);
    this.socket =
      handle === undefined
        ? await openListener(admin.host, admin.port, { key: 'admin' })
        : inheritedListener(handle, admin.host);
  }

  async open(config: Admin, view: NodeView): Promise<void> {
    if (config === null || this.socket === null) return;
    const { handle } = this.socket;
    this.server = await this.startAdmin({ config, handle, view, log: this.log });
  }

  /** Where it is, with the real port where 0 was asked for. */
  shown(admin: Admin): { host: string; port: number; tls: boolean } | null {
    if (admin === null || this.socket === null) return null;
    const { host, port } = this.socket;
    return { host, port, tls: admin.tls !== null };
  }

  renew(admin: Admin): void {
    if (admin !== null) this.server?.renew(admin);
  }

  /** What a successor is given. */
  get sockets(): [string, OpenListener][] {
    return this.socket === null ? [] : [[this.key, this.socket]];
  }

  /** A successor has the address now. */
  leave(): void {
    this.server?.leave();
  }

  close(): void {
    this.server?.close();
  }
}

function keyOf({ host, port }: { host: string; port: number }): string {
  return `admin|${host}|${port}`;
}
