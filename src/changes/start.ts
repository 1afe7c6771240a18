import type { ChangeReader, ReaderParts } from './reader/index.ts';

/** Loaded when a config first has a source: none costs nothing. */
export async function startChangeReader(parts: ReaderParts): Promise<ChangeReader> {
  return new (await import('./reader/index.ts')).ChangeReader(parts);
}
