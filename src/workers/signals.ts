import { closeSync, openSync } from 'node:fs';

export interface SignalActions {
  end(): void;
  endNow(): void;
  reload(): void;
  reopen(): void;
  succeed(): void;
}

/** Ctrl-C under npm arrives twice at once, from the terminal and from npm: that is one wish. */
function sameWish(): number {
  return process.env.npm_lifecycle_event === undefined ? 0 : 100;
}

/** SIGTERM and SIGINT end, the second of them at once; SIGHUP reloads; SIGUSR1 reopens logs; SIGUSR2 starts the new version. */
export function onSignals(actions: SignalActions, now: () => number = () => performance.now()): () => void {
  let firstAt: number | null = null;
  const end = () => {
    if (firstAt === null) {
      firstAt = now();
      actions.end();
    } else if (now() - firstAt >= sameWish()) actions.endNow();
  };
  // A terminal that was closed says SIGHUP too.
  const hangup = () => (process.stdin.isTTY && !terminalIsThere() ? end() : actions.reload());
  const handlers = {
    SIGTERM: end,
    SIGINT: end,
    SIGHUP: hangup,
    // Node would open a debugger to whoever is on this machine.
    SIGUSR1: actions.reopen,
    SIGUSR2: actions.succeed,
  } as const;
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
  };
}

function terminalIsThere(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
