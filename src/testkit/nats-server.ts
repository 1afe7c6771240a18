import { freePort, type LabProcess, type ProcessLab, portOpens, processLab } from './process-lab.ts';
import { findProgram } from './server-program.ts';
import { type TempFolder, tempFolder } from './temp-folder.ts';

/** A NATS with JetStream for a test, which keeps its port and its streams over restarts. `close` ends it. */
export class NatsTestServer {
  readonly port: number;
  private readonly lab: ProcessLab = processLab();
  private readonly folder: TempFolder = tempFolder();
  private process: LabProcess | null = null;

  constructor(port: number) {
    this.port = port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const program = findProgram('nats-server');
    if (program === undefined) throw new Error('no nats-server on this machine');
    const args = ['-a', '127.0.0.1', '-p', String(this.port), '-js', '-sd', this.folder.path];
    this.process = this.lab.start(program, args);
    await portOpens(this.port);
  }

  /** As a crash would. */
  async kill(): Promise<void> {
    await this.process?.kill();
    this.process = null;
  }

  /** In good order. */
  async shutdown(): Promise<void> {
    this.process?.signal('SIGTERM');
    await this.process?.exit();
    this.process = null;
  }

  async close(): Promise<void> {
    await this.lab.close();
    this.folder.close();
  }
}

export async function natsServer(): Promise<NatsTestServer> {
  const server = new NatsTestServer(await freePort());
  await server.start();
  return server;
}
