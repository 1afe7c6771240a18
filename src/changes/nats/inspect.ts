import type { StreamInfo } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { nearest } from '../../util/suggest.ts';
import type { SourceFinding } from '../finding.ts';
import { connectionOptions, faultOf, managerOf, type NatsServer } from './connection.ts';
import { connect } from './transport.ts';

const NANOSECONDS = 1e9;
/** Seconds for which a stream should keep what nobody has read: some time for a gateway to be away. */
const SHORT_AGE = 3600;

/** Asks the server of a source whether its stream can be read. Never rejects. */
export async function inspectNats({
  server,
  stream,
  durable,
}: {
  server: NatsServer;
  stream: string;
  durable: string;
}): Promise<SourceFinding> {
  let connection: NatsConnection | null = null;
  try {
    connection = await connect({ ...connectionOptions(server), reconnect: false });
    const manager = await managerOf(connection);
    const names: string[] = [];
    for await (const name of manager.streams.names()) names.push(name);
    if (!names.includes(stream)) return { error: missing(stream, names), advice: [] };
    const about = await manager.streams.info(stream);
    const consumer = await manager.consumers.info(stream, durable).catch(() => null);
    const error = consumer === null ? null : faultOf(consumer);
    return { error, advice: error === null ? limitsOf(about) : [] };
  } catch (error) {
    return { error: explain(error as Error & { code?: unknown }, server), advice: [] };
  } finally {
    await connection?.close().catch(() => {});
  }
}

function missing(stream: string, names: readonly string[]): string {
  const meant = nearest(stream, names);
  const rest =
    meant === null
      ? names.length === 0
        ? ''
        : `; there are ${names.join(', ')}`
      : `; did you mean ${meant}?`;
  return `there is no stream "${stream}"${rest}. Debezium makes it with debezium.sink.nats-jetstream.create-stream=true`;
}

function limitsOf({ config }: StreamInfo): string[] {
  const advice: string[] = [];
  if (config.storage === 'memory')
    advice.push(
      `the stream "${config.name}" is kept in memory: a restart of NATS loses what was not read; keep it on file`,
    );
  const age = config.max_age / NANOSECONDS;
  if (age > 0 && age < SHORT_AGE)
    advice.push(
      `the stream "${config.name}" drops messages after ${Math.round(age)} s, read or not: raise max_age`,
    );
  if (config.retention === 'interest')
    advice.push(
      `the stream "${config.name}" keeps only what a consumer waits for: what comes before the gateway's first start is not read`,
    );
  return advice;
}

function explain(error: Error & { code?: unknown }, { servers }: NatsServer): string {
  const text = `${error.message} ${String(error.code ?? '')}`;
  const where = servers.join(', ');
  if (/refused/i.test(text))
    return `NATS refuses connections (${where}): is it running, and is the port right?`;
  if (/authorization|authentication/i.test(text)) return 'NATS refuses the user, password or token';
  if (/jetstream (is )?not enabled|503|no responders/i.test(text))
    return 'JetStream is not enabled on the server: start it with -js, or jetstream {} in its config';
  return `${error.message || error.name} (${where})`;
}
