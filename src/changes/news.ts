/** What the workers of a node hear of a source, from where it is read. */
export interface SourceNews {
  readonly name: string;
  /** Grows: of two the later one holds, whichever is heard first. */
  readonly number: number;
  /** Hash of the mapping that its changes are read with. */
  readonly mapping: string;
  /** The last one applied; null: none yet. */
  readonly position: string | null;
  /** Nothing that it feeds may be answered from the cache. */
  readonly closed: boolean;
  /** Changes whose tags origins may still answer with the old row: nothing that carries them is stored. */
  readonly settling?: readonly Settling[];
  /** Numbers of those for which that is over. */
  readonly settled?: readonly number[];
}

export interface Settling {
  readonly id: number;
  readonly tags: readonly string[];
}
