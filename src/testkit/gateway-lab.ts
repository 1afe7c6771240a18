import { parse } from 'yaml';

/** A gateway in this process, on free ports. */
export interface TestGateway {
  /** Port of the first listener. */
  readonly port: number;
  /** Ports by the listeners' names. */
  readonly ports: Readonly<Record<string, number>>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Running {
  listeners: readonly { name: string; port: number }[];
  close(): Promise<void>;
}

/** Loaded when first asked for, so that the kit stands below everything it tests. */
async function startGateway(config: object): Promise<Running> {
  const gateway = new URL('../index.ts', import.meta.url).href;
  return await (await import(gateway)).startGateway(config);
}

/**
 * Starts a gateway from a config as a user writes it: YAML text, or its object. Where it says nothing,
 * it listens on any free port, has no admin listener, and ends at once.
 */
export async function startTestGateway(config: string | object): Promise<TestGateway> {
  const written = typeof config === 'string' ? (parse(config) as object) : config;
  const running = await startGateway({
    listen: '127.0.0.1:0',
    admin: false,
    drain: { delay: '0s', timeout: '1ms' },
    ...written,
  });
  const close = () => running.close();
  return {
    port: running.listeners[0]!.port,
    ports: Object.fromEntries(running.listeners.map(({ name, port }) => [name, port])),
    close,
    [Symbol.asyncDispose]: close,
  };
}
