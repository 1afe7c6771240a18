/**
 * What signals mean while the gateway's code is still being loaded: those that end it find nothing to drain, and those that
 * would have it read its config, or start a new version, find the newest of both. Gives what takes this back, to be called
 * once the gateway hears them itself, and not before: what has come and was not heard yet would be lost.
 */
export function hearEarlySignals(): () => void {
  const end = () => process.exit(0);
  const pass = () => {};
  const heard = { SIGTERM: end, SIGINT: end, SIGHUP: pass, SIGUSR1: pass, SIGUSR2: pass } as const;
  for (const [signal, hear] of Object.entries(heard)) process.on(signal, hear);
  return () => {
    for (const [signal, hear] of Object.entries(heard)) process.off(signal, hear);
  };
}
