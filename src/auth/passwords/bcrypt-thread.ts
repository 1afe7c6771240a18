import { Worker } from 'node:worker_threads';

/** Rounds of a check after which the thread gives way, and for how long at least, in ms. */
const ROUNDS = 8;
const PAUSE = 0.05;

/**
 * Runs in the thread: answers whether a password fits a hash. On Linux the priority of 0 is that of the calling thread
 * alone: where the two share a core, requests go first. Elsewhere it would be the whole process. As the kernel lets
 * whoever runs go on for some milliseconds all the same, it also gives way by itself, between two rounds: that is where
 * the library looks at the clock, and nothing else in this thread does.
 */
const SOURCE = `
const { constants, setPriority } = require('node:os');
const { parentPort, workerData } = require('node:worker_threads');
if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_LOW);
const never = new Int32Array(new SharedArrayBuffer(4));
const clock = Date.now;
let looks = 0;
Date.now = () => {
  if (++looks % ${ROUNDS} === 0) Atomics.wait(never, 0, 0, ${PAUSE});
  return clock();
};
const ready = import(workerData);
parentPort.on('message', async ({ id, password, hash }) => {
  try {
    const { default: bcrypt } = await ready;
    parentPort.postMessage({ id, fits: bcrypt.compareSync(password, hash) });
  } catch (error) {
    parentPort.postMessage({ id, error: String(error) });
  }
});
`;

interface Answer {
  id: number;
  fits?: boolean;
  error?: string;
}

interface Waiting {
  resolve(fits: boolean): void;
  reject(error: Error): void;
}

/** bcrypt is written in JavaScript here, so it has a thread of its own: a check never holds a request that needs none. */
export class BcryptThread {
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  compare(password: string, hash: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const id = ++this.last;
      this.waiting.set(id, { resolve, reject });
      this.worker ??= this.start();
      this.worker.postMessage({ id, password, hash });
    });
  }

  close(): void {
    void this.worker?.terminate();
    this.lost(new Error('the provider was closed'));
  }

  private start(): Worker {
    const worker = new Worker(SOURCE, { eval: true, workerData: import.meta.resolve('bcryptjs') });
    // What waits for an answer is kept alive by its client's connection.
    worker.unref();
    worker.on('message', (answer: Answer) => this.answered(answer));
    // Another may have taken its place by the time that it tells of its end.
    const ended = (error: Error) => {
      if (this.worker === worker) this.lost(error);
    };
    worker.on('error', ended);
    worker.on('exit', () => ended(new Error('the thread ended')));
    return worker;
  }

  private answered({ id, fits, error }: Answer): void {
    const one = this.waiting.get(id);
    this.waiting.delete(id);
    if (fits === undefined) one?.reject(new Error(error));
    else one?.resolve(fits);
  }

  /** The next check starts a new one. */
  private lost(error: Error): void {
    this.worker = null;
    const all = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of all) reject(error);
  }
}
