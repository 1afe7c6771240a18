import { Socket } from 'node:net';

/** Takes a read: `size` bytes, at the beginning of `memory`. `this` is the socket. */
export type ReadCallback<S extends Socket> = (this: S, size: number, memory: Buffer) => void;

/** Where the next read lands; undefined: where the last one did. */
export type NextMemory = () => Buffer | undefined;

/** Where a socket keeps what its option `onread` said: the constructor alone takes it, and a server's sockets come made. */
interface OnRead {
  readonly memory: symbol;
  readonly callback: symbol;
  readonly next: symbol;
}

interface Handle {
  useUserBuffer?(memory: Buffer): void;
}

const ON_READ = findOnRead();

/** Nothing documents the names: they are looked up on a socket that has the option. */
function findOnRead(): OnRead | null {
  const next = () => Buffer.alloc(0);
  const callback = () => true;
  const probe = new Socket({ onread: { buffer: next, callback } });
  const keeper = (value: unknown) =>
    Object.getOwnPropertySymbols(probe).find((key) => Reflect.get(probe, key) === value);
  const memory = Object.getOwnPropertySymbols(probe).find((key) => key.description === 'kBuffer');
  const [callbackKey, nextKey] = [keeper(callback), keeper(next)];
  probe.destroy();
  if (memory === undefined || callbackKey === undefined || nextKey === undefined) return null;
  return { memory, callback: callbackKey, next: nextKey };
}

/**
 * Has the reads of a connection that a server accepted land in memory of ours, as `onread` does for a connection
 * that one makes: Node else allocates, accounts for and sweeps 64 KiB a read, a tenth of what an answer from the
 * cache costs. The socket emits no `data` then; `pause`, `resume`, `unshift` and `end` work as ever.
 *
 * @returns False where this Node has no such place: then the socket is as it was, and `data` tells of the reads.
 */
export function readInto<S extends Socket>(
  socket: S,
  memory: Buffer,
  next: NextMemory,
  callback: ReadCallback<S>,
): boolean {
  const handle = (socket as unknown as { _handle: Handle | null })._handle;
  if (ON_READ === null || handle === null || typeof handle?.useUserBuffer !== 'function') return false;
  Reflect.set(socket, ON_READ.memory, memory);
  Reflect.set(socket, ON_READ.next, next);
  Reflect.set(socket, ON_READ.callback, callback);
  handle.useUserBuffer(memory);
  return true;
}
