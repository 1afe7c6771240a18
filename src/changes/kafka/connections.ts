import type { Base, Connection } from '@platformatic/kafka';
import { breakAtThrow } from '../../util/break-at-throw.ts';

/** Of a connection: it is there, is about to log in, or has failed. */
const NEWS = ['client:broker:connect', 'client:broker:sasl:handshake', 'client:broker:failed'] as const;

/**
 * Lets no connection of a client end the process: one tells its errors again after the first, as when it is reset while
 * it logs in, and nobody hears them then; and what it can't read is thrown.
 */
export function holdConnections(client: Base): void {
  for (const news of NEWS)
    client.on(news, ({ connection }: { connection: Connection }) => {
      connection.on('error', () => {});
      if (news !== 'client:broker:failed') breakAtThrow(connection.socket);
    });
}
