import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { cpuTime, processTree, residentBytes } from './process-stats.ts';
import { PATIENCE, until, within } from './waiting.ts';

/** A process starts within a second, and on a machine with other work within this; ms. */
const PROCESS_PATIENCE = 20_000;

export interface StartOptions {
  cwd?: string;
  /** Added to this process's own environment; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  /** Written to its standard input, which is then closed. */
  input?: string;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A running program and what it has printed so far. */
export class LabProcess {
  readonly pid: number;
  stdout = '';
  stderr = '';
  /** Null as long as it runs. */
  exited: Exit | null = null;
  private readonly child: ChildProcess;
  private readonly command: string;
  private readonly ended: Promise<Exit>;
  private readonly printed: (() => void)[] = [];

  constructor(child: ChildProcess, command: string) {
    this.child = child;
    this.command = command;
    this.pid = child.pid ?? 0;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.tell();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.tell();
    });
    this.ended = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        this.exited ??= { code, signal };
        this.tell();
        resolve(this.exited);
      };
      child.once('close', end);
      child.once('error', (error) => {
        this.stderr += `${error.message}\n`;
        end(null, null);
      });
    });
  }

  /** Standard output and standard error, one after the other. */
  get output(): string {
    return `${this.stdout}${this.stderr}`;
  }

  /** Waits until its output matches; fails at once if it ends before. */
  async line(pattern: RegExp, ms = PROCESS_PATIENCE): Promise<RegExpExecArray> {
    const found = async () => {
      for (;;) {
        const match = pattern.exec(this.output);
        if (match !== null) return match;
        if (this.exited !== null)
          throw new Error(`it ended (${JSON.stringify(this.exited)}); ${this.sofar()}`);
        await new Promise<void>((resolve) => this.printed.push(resolve));
      }
    };
    return await within(found(), () => `${pattern} was not printed; ${this.sofar()}`, ms);
  }

  async exit(ms = PROCESS_PATIENCE): Promise<Exit> {
    return await within(this.ended, () => `it still runs; ${this.sofar()}`, ms);
  }

  /** Signals the process alone, not its children. */
  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Its process id and those of all its descendants. */
  tree(): number[] {
    return this.exited === null ? processTree(this.pid) : [];
  }

  /** Microseconds of CPU that it and its living descendants have used. */
  cpu(): number {
    return cpuTime(this.tree());
  }

  /** Resident bytes of it and its descendants. */
  rss(): number {
    return residentBytes(this.tree());
  }

  /** Kills it with everything in its process group, and waits for its end. */
  async kill(): Promise<void> {
    killGroup(this.pid);
    await this.exit();
  }

  private sofar(): string {
    return `${this.command} printed:\n${this.output.slice(-4000)}`;
  }

  private tell(): void {
    for (const resolve of this.printed.splice(0)) resolve();
  }
}

const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function killGroup(pid: number): void {
  try {
    if (pid > 0) process.kill(-pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

/** Starts programs and leaves none of them behind. */
export class ProcessLab {
  private readonly processes: LabProcess[] = [];
  private readonly onExit = () => this.killAll();
  /** Whoever ends this process by a signal ends what it started, too. */
  private readonly onSignal = (signal: NodeJS.Signals) => {
    this.killAll();
    for (const name of ENDINGS) process.removeListener(name, this.onSignal);
    process.kill(process.pid, signal);
  };

  constructor() {
    process.once('exit', this.onExit);
    for (const name of ENDINGS) process.once(name, this.onSignal);
  }

  /** Starts a program in a process group of its own. */
  start(command: string, args: readonly string[] = [], options: StartOptions = {}): LabProcess {
    const child = spawn(command, args, {
      detached: true,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    child.stdin?.end(options.input);
    const started = new LabProcess(child, [command, ...args].join(' '));
    this.processes.push(started);
    return started;
  }

  /** Runs a program of Node to its end or beyond, with the Node that runs this. */
  node(args: readonly string[], options: StartOptions = {}): LabProcess {
    return this.start(process.execPath, args, options);
  }

  /** Kills whatever still runs. */
  async close(): Promise<void> {
    process.removeListener('exit', this.onExit);
    for (const name of ENDINGS) process.removeListener(name, this.onSignal);
    await Promise.all(this.processes.map((one) => (one.exited === null ? one.kill() : undefined)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private killAll(): void {
    for (const one of this.processes) if (one.exited === null) killGroup(one.pid);
  }
}

export function processLab(): ProcessLab {
  return new ProcessLab();
}

/** Below the ports that a system gives to connections: none of the many that tests open can take one. */
const PORTS = { from: 12_000, to: 32_000 };
const TRIES = 100;

/** A port that was free a moment ago, and that the system gives to nobody by itself. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (await isFree(port)) return port;
  }
  throw new Error(`None of ${TRIES} ports was free.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Waits until something accepts connections on a port of this machine. */
export async function portOpens(port: number, ms = PATIENCE): Promise<void> {
  await until(() => accepts(port), `something to listen on port ${port}`, ms);
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}
