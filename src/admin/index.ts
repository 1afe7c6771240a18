import type { StartAdmin } from '../workers/index.ts';

/** Imported when called: with its HTTP libraries it takes as long to load as all the rest. */
export const startAdmin: StartAdmin = async (parts) => (await import('./server.ts')).startAdmin(parts);
