/** What the workers of a node hear of a source. */
export interface SourceNews {
  readonly name: string;
  /** Grows: of two the later one holds, whichever is heard first. */
  readonly number: number;
  /** Hash of the mapping that its changes are read with; empty where that isn't known. */
  readonly mapping: string;
  /** The last one applied; null: none yet. */
  readonly position: string | null;
  /** Nothing that it feeds may be answered from the cache. */
  readonly closed: boolean;
  /** Milliseconds since all was applied that there was, when it was told; null: that isn't known. */
  readonly age: number | null;
  /** Changes whose tags origins may still answer with the old row: nothing that carries them is stored. */
  readonly settling?: readonly Settling[];
  /** Those for which that is over. */
  readonly settled?: readonly string[];
}

export interface Settling {
  readonly id: string;
  readonly tags: readonly string[];
}
