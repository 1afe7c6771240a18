import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  type JetStreamManager,
  jetstreamManager,
} from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';

export interface NatsServer {
  /** `host:port`. */
  readonly servers: readonly string[];
  readonly user: string | null;
  readonly password: string | null;
  readonly token: string | null;
  readonly tls: boolean;
}

/** Milliseconds after which an answer of the server is given up. */
const ANSWER = 2000;
/** Nanoseconds after which a message that wasn't acknowledged comes again. */
const ACK_WAIT = 10_000_000_000;
/** Messages that may be under way; then the server holds back. */
export const MOST_UNDER_WAY = 1000;

/** A connection that comes back by itself, also when all servers are restarted. */
export async function connectNats(server: NatsServer): Promise<NatsConnection> {
  return await connect({
    ...connectionOptions(server),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    pingInterval: 2000,
    maxPingOut: 2,
  });
}

export function connectionOptions(server: NatsServer) {
  return {
    servers: [...server.servers],
    timeout: ANSWER,
    name: 'tidegate',
    ...(server.user === null ? {} : { user: server.user, pass: server.password ?? '' }),
    ...(server.token === null ? {} : { token: server.token }),
    ...(server.tls ? { tls: {} } : {}),
  };
}

export async function managerOf(connection: NatsConnection): Promise<JetStreamManager> {
  return await jetstreamManager(connection, { timeout: ANSWER, checkAPI: false });
}

/** The durable; made where it is missing, for what comes from now on. */
export async function ensureDurable(
  manager: JetStreamManager,
  stream: string,
  durable: string,
): Promise<{ info: ConsumerInfo; made: boolean }> {
  try {
    return { info: await manager.consumers.info(stream, durable), made: false };
  } catch (error) {
    if (!/consumer not found/i.test((error as Error).message)) throw error;
  }
  const info = await manager.consumers.add(stream, {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.New,
    ack_wait: ACK_WAIT,
    max_ack_pending: MOST_UNDER_WAY,
  });
  return { info, made: true };
}
