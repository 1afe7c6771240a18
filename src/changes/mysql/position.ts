import type { Clock } from '../../util/clock.ts';
import { ControlConnection, type MysqlServer } from './server.ts';

/** Seconds that it is kept while nobody asks. */
const IDLE = 3600;

/** Asks a server how far its log goes. */
export async function connectForPosition(
  server: MysqlServer,
  clock: Clock,
): Promise<{ position(): Promise<string>; close(): void }> {
  const control = await ControlConnection.open(server, clock, IDLE);
  const facts = await control.facts();
  return {
    position: () => control.written(facts),
    close: () => control.close(),
  };
}
