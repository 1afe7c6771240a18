import pg from 'pg';
import { breakAtThrow } from '../../util/break-at-throw.ts';

/** The part of pg that its types keep to themselves. */
export interface Connection {
  /** Another one, once it is TLS. */
  stream: Stream;
  sendCopyFromChunk(chunk: Buffer): void;
  on(event: 'copyData', listener: (message: { chunk: Buffer }) => void): void;
  on(event: 'replicationStart' | 'sslconnect', listener: () => void): void;
}

interface Stream {
  pause(): void;
  resume(): void;
  destroy(error?: Error): void;
  emit(event: string, ...values: unknown[]): boolean;
}

/**
 * A client of which nothing that the server sends ends the process: pg throws as it reads what it doesn't know, such
 * as a way to log in, where nobody could catch it. Here that is an error of the connection.
 */
export function createClient(config: pg.ClientConfig): pg.Client {
  const client = new pg.Client(config);
  const connection = connectionOf(client);
  breakAtThrow(connection.stream);
  connection.on('sslconnect', () => breakAtThrow(connection.stream));
  return client;
}

export function connectionOf(client: pg.Client): Connection {
  return (client as unknown as { connection: Connection }).connection;
}
