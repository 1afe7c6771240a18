import { parse } from 'yaml';
import type { RunningGateway, StartOptions } from '../index.ts';

/** A gateway in this process, on free ports. */
export interface TestGateway {
  /** Port of the first listener. */
  readonly port: number;
  /** Ports by the listeners' names. */
  readonly ports: Readonly<Record<string, number>>;
  /** Swaps in another config. */
  reload(config: string | object): Promise<void>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a gateway from a config as a user writes it: YAML text, or its object. Where it says nothing,
 * it listens on any free port, has no admin listener, and waits for nobody at its end.
 */
export async function startTestGateway(
  config: string | object,
  options: StartOptions = {},
): Promise<TestGateway> {
  // Loaded when first asked for: most tests need only the rest of the kit.
  const { startGateway } = await import('../index.ts');
  const running: RunningGateway = await startGateway(complete(config), options);
  const close = async () => {
    await running.close();
  };
  return {
    port: running.listeners[0]!.port,
    ports: Object.fromEntries(running.listeners.map(({ name, port }) => [name, port])),
    reload: (next) => running.reload(complete(next)),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function complete(config: string | object): object {
  const written = typeof config === 'string' ? (parse(config) as object) : config;
  return {
    listen: '127.0.0.1:0',
    admin: false,
    drain: { delay: '0s', timeout: '1ms' },
    ...written,
  };
}
