/** Milliseconds any wait of the test kit lasts before it fails. */
export const PATIENCE = 5_000;

/** Fails with `what()` if `promise` takes longer than `ms`. */
export async function within<T>(promise: Promise<T>, what: () => string, ms = PATIENCE): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`after ${ms} ms: ${what()}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until `condition` gives something other than false, null or undefined, and returns it. */
export async function until<T>(
  condition: () => T | false | null | undefined | Promise<T | false | null | undefined>,
  what: string,
  ms = PATIENCE,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const found = await condition();
    if (found !== false && found !== null && found !== undefined) return found;
    if (performance.now() > end) throw new Error(`after ${ms} ms still waiting for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** How long a count must stay the same to stand still, ms: longer than a busy machine takes between two reads. */
const STILL = 300;

/** Resolves once a count has stayed the same for a while: nothing moves any more. */
export async function standsStill(count: () => number, what: string, ms = 15_000): Promise<void> {
  let last = count();
  let since = performance.now();
  const isStill = () => {
    const now = count();
    if (now !== last) since = performance.now();
    last = now;
    return performance.now() - since > STILL;
  };
  await until(isStill, `${what} to stand still`, ms);
}

/** A point that a script waits at until the test opens it. */
export class Gate {
  readonly opened: Promise<void>;
  private resolve!: () => void;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  open(): void {
    this.resolve();
  }
}

/**
 * Lets every socket of this process read what has been written so far: an immediate set within an
 * immediate runs only after the event loop has polled in between.
 */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}
