/** Exit codes: what the user gave is wrong, how the command was called, a fault of the gateway's own. */
export const EXIT = { ok: 0, input: 1, usage: 2, internal: 70 } as const;

/** How a command was called is wrong: its message goes out, and exit code 2. */
export class UsageError extends Error {}
