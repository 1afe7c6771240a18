import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Its text, as another user may not be able to read the file. */
const leash = readFileSync(join(import.meta.dirname, 'leash.sh'), 'utf8');
const patience = 8000;

export interface StartOptions {
  /** What ends it; TERM if not said. */
  signal?: 'TERM' | 'INT';
  /** A folder that is removed with it. */
  sweep?: string;
  cwd?: string;
  env?: Record<string, string>;
  user?: { uid: number; gid: number };
}

export interface Child {
  name: string;
  process: ChildProcess;
  sweep: string | undefined;
  /** The first match in what it prints; rejects if it ends before. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
}

/**
 * The programs of the demo. Each has a process group of its own, so that a Ctrl-C in the terminal reaches only the
 * demo, which ends them in order; and each is on a leash, so that none outlives the demo however that ends.
 */
export class Children {
  private readonly running: Child[] = [];
  private ending = false;
  private readonly onDeath: (name: string, output: string) => void;

  /** `onDeath` hears of each program that ends by itself, with the last it printed. */
  constructor(onDeath: (name: string, output: string) => void) {
    this.onDeath = onDeath;
  }

  /** Starts a program that runs until it is stopped. */
  start(name: string, command: string, args: string[], options: StartOptions = {}): Child {
    const { child, output } = this.launch(name, command, args, options);
    child.process.once('exit', () => {
      if (!this.ending) this.onDeath(name, output.last());
    });
    return child;
  }

  /** Runs a program to its end; rejects with what it printed if it fails. */
  async finish(name: string, command: string, args: string[], options: StartOptions = {}): Promise<void> {
    const { child, output } = this.launch(name, command, args, options);
    const [code] = await once(child.process, 'close');
    if (code !== 0) throw new Error(`${name} failed:\n${output.last()}`);
  }

  private launch(name: string, command: string, args: string[], options: StartOptions) {
    if (this.ending) throw new Error(`${name} is not started: the demo stops`);
    const held = [options.signal ?? 'TERM', options.sweep ?? '', command, ...args];
    const spawned = spawn('sh', ['-c', leash, 'leash', ...held], {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...options.user,
    });
    spawned.stdin.on('error', () => {});
    const output = new Output(spawned);
    const child: Child = {
      name,
      process: spawned,
      sweep: options.sweep,
      says: (pattern) => output.find(pattern, name),
    };
    this.running.push(child);
    spawned.once('exit', () => this.running.splice(this.running.indexOf(child), 1));
    return { child, output };
  }

  /** Ends all, the last started first; one that doesn't end in time is killed. */
  async stop(): Promise<void> {
    this.ending = true;
    for (const child of [...this.running].reverse()) await stopOne(child);
  }

  kill(): void {
    this.ending = true;
    for (const child of this.running) killGroup(child.process);
  }
}

/** What a program has printed, of which the last few thousand characters are kept. */
class Output {
  private text = '';
  private ended = false;
  private readonly waiting = new Set<() => void>();

  constructor(child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.text = (this.text + text).slice(-4000);
        this.wake();
      });
    }
    child.once('close', () => {
      this.ended = true;
      this.wake();
    });
    child.once('error', (error) => {
      this.text += error.message;
    });
  }

  last(): string {
    return this.text.trim();
  }

  async find(pattern: RegExp, name: string): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match) return match;
      if (this.ended) throw new Error(`${name} did not start:\n${this.last()}`);
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}

async function stopOne({ process: child, sweep }: Child): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    child.stdin?.destroy();
    const late = setTimeout(() => killGroup(child), patience);
    await gone;
    clearTimeout(late);
  }
  if (sweep !== undefined) rmSync(sweep, { recursive: true, force: true });
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
