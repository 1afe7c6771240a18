import type { OwnWrites, Writer } from '../../cache/index.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { ChangeLens } from '../view/index.ts';
import type { ClientKey } from './client-key.ts';
import type { WriteRoom } from './write-room.ts';

type Outcome = 'reached' | 'behind';

/** A client of one source. */
interface Client {
  readonly source: string;
  readonly key: string;
}

/** What clients read no older than they wrote it, as one config tells them apart. */
export class ClientWrites implements OwnWrites {
  private readonly room: WriteRoom;
  private readonly lens: ChangeLens;
  private readonly keys: ReadonlyMap<string, ClientKey>;

  /** @param keys By source. */
  constructor(room: WriteRoom, lens: ChangeLens, keys: ReadonlyMap<string, ClientKey>) {
    this.room = room;
    this.lens = lens;
    this.keys = keys;
  }

  writer(exchange: Exchange): Writer | null {
    const clients = this.clientsOf(exchange, () => true);
    if (clients.length === 0) return null;
    return {
      wrote: async () => {
        await Promise.all(clients.map(({ source, key }) => this.room.wrote(source, key)));
      },
    };
  }

  waitFor(exchange: Exchange, done: (outcome: Outcome) => void): 'reached' | { cancel(): void } {
    const { room } = this;
    const clients = this.clientsOf(exchange, (source) => room.isShared || !room.written.isQuiet(source));
    if (clients.length === 0) return 'reached';
    if (room.isShared) return this.recall(clients, done);
    return this.isReached(clients, []) ? 'reached' : this.wait(clients, [], done);
  }

  private clientsOf(exchange: Exchange, wanted: (source: string) => boolean): Client[] {
    const clients: Client[] = [];
    for (const [source, keyOf] of this.keys) {
      if (!wanted(source)) continue;
      const key = this.keyOf(exchange, keyOf);
      if (key !== null) clients.push({ source, key });
    }
    return clients;
  }

  /** What is asked for a client's sake is asked in its name. */
  private keyOf(exchange: Exchange, keyOf: ClientKey): string | null {
    const own = keyOf(exchange, this.room.variables(exchange));
    const { madeFor } = exchange;
    return own !== null || madeFor === null ? own : keyOf(madeFor, this.room.variables(madeFor));
  }

  /** What the client has written through other nodes counts, too. */
  private recall(clients: readonly Client[], done: (outcome: Outcome) => void): { cancel(): void } {
    let cancelled = false;
    let waiting: { cancel(): void } | null = null;
    const told = Promise.all(clients.map(({ key }) => this.room.recall(key)));
    told.then(
      (positions) => {
        if (cancelled) return;
        if (this.isReached(clients, positions)) done('reached');
        else waiting = this.wait(clients, positions, done);
      },
      () => {
        if (!cancelled) done('behind');
      },
    );
    return {
      cancel() {
        cancelled = true;
        waiting?.cancel();
      },
    };
  }

  private wait(
    clients: readonly Client[],
    told: readonly (readonly (string | null)[])[],
    done: (outcome: Outcome) => void,
  ): { cancel(): void } {
    const sources = clients.map(({ source }) => source);
    return this.lens.wait(sources, () => this.isReached(clients, told), done);
  }

  /** @param told What other nodes say of each of them. */
  private isReached(clients: readonly Client[], told: readonly (readonly (string | null)[])[]): boolean {
    const { written } = this.room;
    const covers = (source: string, position: string | null) =>
      position !== null && this.lens.covers(source, position);
    return clients.every(({ source, key }, i) => {
      const here = written.positionsOf(source, key).every((position) => covers(source, position));
      if (here) written.forget(source, key);
      return here && (told[i] ?? []).every((position) => covers(source, position));
    });
  }
}
