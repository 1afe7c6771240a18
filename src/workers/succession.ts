import { type ChildProcess, spawn } from 'node:child_process';
import type { DrainedTarget } from '../upstream/index.ts';
import type { Standing } from './bus-topics.ts';
import type { OpenListener } from './listening.ts';

/**
 * The new version on the same ports: this program is started once more, is given the bound sockets, and when it
 * serves, the old one drains. Until then nothing has changed, so a new version that can't start costs nothing.
 */

const SUCCESSOR_VARIABLE = 'TIDEGATE_PREDECESSOR';
const PATIENCE = 30_000;

type ToSuccessor =
  | { kind: 'listener'; key: string }
  /** `drained` and `standing` are not told by versions that know nothing of them. */
  | { kind: 'complete'; drained?: readonly DrainedTarget[]; standing?: Standing };
type FromSuccessor = { kind: 'ask' } | { kind: 'serving' };

/** What the old version leaves to the new one. */
export interface Estate {
  readonly sockets: ReadonlyMap<string, OpenListener>;
  /** Targets that an operator has taken out. */
  readonly drained: readonly DrainedTarget[];
  /** What workers have found out of targets and services. */
  readonly standing: Standing;
}

/**
 * Starts the successor. Resolves when it serves; rejects, and has ended it, when it does not, or when it is not
 * wanted any more (`signal`).
 */
export async function startSuccessor(estate: Estate, signal: AbortSignal): Promise<ChildProcess> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
    env: { ...process.env, [SUCCESSOR_VARIABLE]: String(process.pid) },
  });
  try {
    await serving(child, estate, signal);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  child.disconnect();
  child.unref();
  return child;
}

function serving(child: ChildProcess, estate: Estate, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`it does not serve after ${PATIENCE / 1000} s`)),
      PATIENCE,
    );
    const fail = (why: string) => {
      clearTimeout(timer);
      reject(new Error(why));
    };
    signal.addEventListener('abort', () => fail('the gateway is to end'), { once: true });
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code, signal) => fail(`it ended with ${signal ?? `code ${code}`}`));
    child.on('message', (message: FromSuccessor) => {
      if (message.kind === 'ask') return give(child, estate);
      clearTimeout(timer);
      resolve();
    });
  });
}

function give(child: ChildProcess, { sockets, drained, standing }: Estate): void {
  for (const [key, { handle }] of sockets) {
    if (handle !== null) child.send({ kind: 'listener', key } satisfies ToSuccessor, handle as never);
  }
  child.send({ kind: 'complete', drained, standing } satisfies ToSuccessor);
}

export interface Inheritance {
  sockets: Map<string, object>;
  drained: readonly DrainedTarget[];
  standing: Standing;
  /** Tells the predecessor that it may go. */
  serving(): void;
}

const NOTHING: Standing = { ejected: [], breakers: [] };

/** What a predecessor hands over, or null where there is none. */
export function inherit(): Promise<Inheritance | null> {
  const predecessor = process.env[SUCCESSOR_VARIABLE];
  // Not for the workers, and not for whatever else they may start.
  delete process.env[SUCCESSOR_VARIABLE];
  if (predecessor === undefined || process.send === undefined) return Promise.resolve(null);
  return new Promise((resolve) => {
    const sockets = new Map<string, object>();
    const serving = () => {
      process.off('message', take);
      if (process.connected) process.send?.({ kind: 'serving' } satisfies FromSuccessor, () => {});
    };
    const take = (message: unknown, handle: unknown) => {
      const told = message as ToSuccessor;
      if (told.kind === 'listener') sockets.set(told.key, handle as object);
      else resolve({ sockets, drained: told.drained ?? [], standing: told.standing ?? NOTHING, serving });
    };
    // A predecessor that dies half-way leaves what it gave so far.
    process.once('disconnect', () => resolve({ sockets, drained: [], standing: NOTHING, serving: () => {} }));
    process.on('message', take);
    process.send?.({ kind: 'ask' } satisfies FromSuccessor);
  });
}
