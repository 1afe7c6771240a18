import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { AuthServerFinding } from '../auth/index.ts';
import { inspectSource, type SourceFinding } from '../changes/index.ts';
import { formatAddress, type GatewayConfig, type ServiceConfig } from '../config/index.ts';
import { idleAuthRoom, placesOf } from '../snapshot/index.ts';
import { askedAs, discoverOnce } from '../upstream/index.ts';
import { LONGEST_WAIT, systemClock } from '../util/clock.ts';
import { systemRandom } from '../util/random.ts';
import { usesHttp2, usesTls } from '../util/service-scheme.ts';
import { tlsTrouble } from '../util/tls-trouble.ts';
import { connectPlace, socketTrouble } from '../util/unix-socket.ts';

/** What came of one attempt to reach a target. */
export interface Connection {
  service: string;
  /** Its URL. */
  target: string;
  /** Null where it failed. */
  milliseconds: number | null;
  /** Why it failed, as the end of a sentence that begins with the target. */
  error: string | null;
}

type Target = ServiceConfig['targets'][number];

const DEFAULT_TIMEOUT = 1000;

/** What came of asking where the changes of one source are read from. */
export interface InspectedSource extends SourceFinding {
  source: string;
}

/** Asks every change source whether it can be followed; nothing is made or changed. */
export function inspectSources(config: GatewayConfig): Promise<InspectedSource[]> {
  const sources = Object.values(config.changes);
  return Promise.all(
    sources.map(async (source) => ({ source: source.name, ...(await inspectSource(source)) })),
  );
}

/** Asks every server that guards will ask, once and in nobody's name. */
export async function askAuthServers(config: GatewayConfig): Promise<AuthServerFinding[]> {
  const room = idleAuthRoom();
  try {
    return await room.inspect(config);
  } finally {
    room.close();
  }
}

/**
 * Connects to every target once, with the TLS settings of its service, and sends nothing. Where targets are discovered,
 * who knows them is asked first.
 */
export async function tryConnections(config: GatewayConfig): Promise<Connection[]> {
  return (await Promise.all(Object.values(config.services).map(tryService))).flat();
}

async function tryService(service: ServiceConfig): Promise<Connection[]> {
  const lost = (error: string): Connection[] =>
    placesOf(service).map(({ url }) => ({ service: service.name, target: url, milliseconds: null, error }));
  try {
    const targets = await targetsOf(service);
    if (targets.length === 0) return lost('has no target now');
    return await Promise.all(targets.map((target) => tryTarget(service, target)));
  } catch (error) {
    return lost(`cannot be found: ${(error as Error).message}`);
  }
}

async function targetsOf({ discover, targets }: ServiceConfig): Promise<Target[]> {
  if (discover === null) return targets;
  const found = await discoverOnce(discover, { clock: systemClock, random: systemRandom });
  return found.map((target) => ({ ...target, scheme: discover.scheme, path: '' }));
}

async function tryTarget(service: ServiceConfig, target: Target): Promise<Connection> {
  const url = urlOf(target);
  const started = performance.now();
  const limit = service.timeout.connect ?? DEFAULT_TIMEOUT;
  try {
    const socket = open(service, target);
    await opened(socket, usesTls(target.scheme) ? 'secureConnect' : 'connect', limit);
    if (target.scheme === 'h2' && (socket as TLSSocket).alpnProtocol !== 'h2')
      throw new Error('it does not offer HTTP/2 (ALPN h2)');
    return {
      service: service.name,
      target: url,
      milliseconds: Math.round(performance.now() - started),
      error: null,
    };
  } catch (error) {
    return {
      service: service.name,
      target: url,
      milliseconds: null,
      error: trouble(error as NodeJS.ErrnoException),
    };
  }
}

function urlOf({ scheme, host, port, path }: Target): string {
  return scheme === 'unix' ? `unix:${host}` : `${scheme}://${formatAddress({ host, port })}${path}`;
}

function open({ tls, discover }: ServiceConfig, { scheme, host, port }: Target): Socket {
  if (!usesTls(scheme)) return connectTcp(connectPlace(host, port));
  const name = tls.serverName ?? askedAs(discover, host);
  return connectTls({
    host,
    port,
    rejectUnauthorized: tls.verify,
    ALPNProtocols: [usesHttp2(scheme) ? 'h2' : 'http/1.1'],
    // A server name is a name, never an address (RFC 6066 §3).
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null || tls.key === null ? {} : { cert: tls.cert, key: tls.key }),
  });
}

function opened(socket: Socket, event: 'connect' | 'secureConnect', limit: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = Number.isFinite(limit)
      ? setTimeout(() => finish(new Error('timeout')), Math.min(limit, LONGEST_WAIT))
      : null;
    const finish = (error: Error | null): void => {
      if (timer !== null) clearTimeout(timer);
      socket.destroy();
      if (error === null) resolve();
      else reject(error);
    };
    socket.once(event, () => finish(null));
    socket.once('error', finish);
  });
}

function trouble(error: NodeJS.ErrnoException): string {
  const code =
    error.code ??
    (error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException)?.code : undefined);
  const atSocket = socketTrouble(error);
  if (atSocket !== null) return `cannot be reached: ${atSocket}`;
  const inHandshake = tlsTrouble(error);
  if (inHandshake !== null) return `failed: ${inHandshake}`;
  switch (code) {
    case 'ECONNREFUSED':
      return 'refuses connections: is the service running?';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'has a name that cannot be resolved';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'cannot be reached from here';
    case undefined:
      return error.message === 'timeout' ? 'accepted no connection in time' : `failed: ${error.message}`;
    default:
      return `failed: ${error.message} (${code})`;
  }
}
