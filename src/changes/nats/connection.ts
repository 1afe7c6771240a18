import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  type JetStreamManager,
  jetstreamManager,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect } from './transport.ts';

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

/** Why a durable that somebody else has made can't be read by; null: it can. */
export function faultOf({ name, config }: ConsumerInfo): string | null {
  const fault = faultIn(config);
  return fault === null
    ? null
    : `the durable "${name}" ${fault}: delete it, so that the gateway makes its own`;
}

function faultIn(config: ConsumerConfig): string | null {
  const { ack_policy, deliver_subject, max_deliver = -1, filter_subject, filter_subjects } = config;
  if (ack_policy !== AckPolicy.Explicit) return `acknowledges by "${ack_policy}"`;
  if (deliver_subject !== undefined) return 'is pushed to a subject';
  if (max_deliver > 0) return `gives a message up after ${max_deliver} deliveries (max_deliver)`;
  // What it leaves out looks as if a limit of the stream had dropped it.
  const filters = filter_subjects ?? (filter_subject ? [filter_subject] : []);
  if (filters.length > 0) return `takes only a part of the stream (${filters.join(', ')})`;
  return null;
}

/** The durable; made where it is missing, for what comes from now on. Throws where there is one that can't be read by. */
export async function ensureDurable(
  manager: JetStreamManager,
  stream: string,
  durable: string,
): Promise<{ info: ConsumerInfo; made: boolean }> {
  const found = await manager.consumers.info(stream, durable).catch((error: Error) => {
    if (!/consumer not found/i.test(error.message)) throw error;
    return null;
  });
  if (found !== null) {
    const fault = faultOf(found);
    if (fault !== null) throw new Error(fault);
    return { info: found, made: false };
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
