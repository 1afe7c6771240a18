import { lookup } from 'node:dns/promises';
import net, { isIP, isIPv6 } from 'node:net';
import { constants } from 'node:os';
import { BACKLOG } from './contract.ts';
import { portOwner } from './port-owner.ts';

/**
 * A listening socket that this process owns but does not accept on. It is bound once and handed to every
 * worker and its successor, so the port stays open whoever dies.
 *
 * Node has no public way to hold such a socket: a `net.Server` accepts as soon as it listens, and passing each
 * connection on costs the supervisor about 50 µs. `net._createServerHandle`, which `node:cluster` itself stands
 * on, gives the bare handle; where it is missing, connections are accepted here and passed on.
 */
export interface OpenListener {
  readonly host: string;
  /** The real one, where 0 was asked for. */
  readonly port: number;
  /** Null where connections are passed on one by one. */
  readonly handle: object | null;
  /** Where they are passed on: who takes them. */
  onConnection: ((socket: net.Socket) => void) | null;
  close(): void;
}

/** Says which address, why, who may have it and what to do. */
export class ListenError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface BareHandle {
  getsockname(out: { port?: number }): number;
  close(): void;
}

type CreateServerHandle = (address: string, port: number, addressType: 4 | 6) => BareHandle | number;

function bareHandles(): CreateServerHandle | null {
  const create = (net as unknown as { _createServerHandle?: CreateServerHandle })._createServerHandle;
  return typeof create === 'function' ? create : null;
}

export interface OpenOptions {
  /** The key whose value the user must change, for the advice: `listen`, `admin`. */
  key: string;
  /** Accept here and pass on, as if the platform had no bare handles. */
  passOn?: boolean;
}

/** Binds an address. Throws `ListenError`. */
export async function openListener(host: string, port: number, options: OpenOptions): Promise<OpenListener> {
  const create = bareHandles();
  try {
    const address = await resolveHost(host);
    if (create === null || options.passOn === true) return await passingListener(address, host, port);
    return bareListener(create, address, host, port);
  } catch (error) {
    throw await listenError(error as NodeJS.ErrnoException, host, port, options.key);
  }
}

/** A handle that another process had bound already, as it came over IPC. */
export function inheritedListener(handle: object, host: string): OpenListener {
  return wrap(handle as BareHandle, host);
}

async function resolveHost(host: string): Promise<string> {
  return isIP(host) === 0 ? (await lookup(host)).address : host;
}

function bareListener(create: CreateServerHandle, address: string, host: string, port: number): OpenListener {
  const handle = create(address, port, isIPv6(address) ? 6 : 4);
  if (typeof handle === 'number') throw systemError(handle);
  const listener = wrap(handle, host);
  // libuv keeps EADDRINUSE for the moment of listening, which here is in a worker: an unbound socket tells it now.
  if (listener.port === 0) {
    listener.close();
    throw Object.assign(new Error('address in use'), { code: 'EADDRINUSE' });
  }
  return listener;
}

function wrap(handle: BareHandle, host: string): OpenListener {
  const name: { port?: number } = {};
  handle.getsockname(name);
  return { host, port: name.port ?? 0, handle, onConnection: null, close: () => handle.close() };
}

async function passingListener(address: string, host: string, port: number): Promise<OpenListener> {
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port, backlog: BACKLOG }, resolve);
  });
  const listener: OpenListener = {
    host,
    port: (server.address() as net.AddressInfo).port,
    handle: null,
    onConnection: null,
    close: () => server.close(),
  };
  server.on('connection', (socket) => {
    if (listener.onConnection === null) socket.destroy();
    else listener.onConnection(socket);
  });
  return listener;
}

function systemError(errno: number): Error {
  const code = Object.entries(CODES).find(([, number]) => number === errno)?.[0] ?? 'EINVAL';
  return Object.assign(new Error(code), { code });
}

const CODES: Record<string, number> = Object.fromEntries(
  Object.entries(constants.errno).map(([name, number]) => [name, -number]),
);

/** `127.0.0.1:80`, `[::1]:80`. */
export function authority(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

export function listenUrl({ host, port, tls }: { host: string; port: number; tls: boolean }): string {
  return `${tls ? 'https' : 'http'}://${authority(host, port)}`;
}

export async function listenError(
  error: { code?: string | undefined; message: string },
  host: string,
  port: number,
  key: string,
): Promise<ListenError> {
  const where = authority(host, port);
  const code = error.code ?? 'EINVAL';
  return new ListenError(code, `cannot listen on ${where}: ${await reason(code, host, port, key, error)}`);
}

function selfOf(owner: string): string {
  return owner.endsWith(`(pid ${process.pid})`) ? ', which is this gateway itself, at another address' : '';
}

async function reason(
  code: string,
  host: string,
  port: number,
  key: string,
  error: { message: string },
): Promise<string> {
  const another = `Choose another address with \`${key}:\` in the config, for example \`${key}: ${authority(host, port + 1)}\`.`;
  if (code === 'EADDRINUSE') {
    const owner = await portOwner(port);
    if (owner !== null) return `the port is taken by ${owner}${selfOf(owner)}.\n${another}`;
    return `the port is taken; \`lsof -nP -iTCP:${port} -sTCP:LISTEN\` tells by whom.\n${another}`;
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return `ports below 1024 need a privilege.\nChoose a port of 1024 or above with \`${key}:\`, or give the process CAP_NET_BIND_SERVICE.`;
  }
  if (code === 'EADDRNOTAVAIL')
    return `this machine has no such address.\nUse one it has, or 0.0.0.0 (IPv6: ::) for all of them, in \`${key}:\`.`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `the name "${host}" can't be resolved.\nUse an IP address in \`${key}:\`.`;
  return `${error.message}.\n${another}`;
}
