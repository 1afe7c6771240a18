import type { SequenceLog } from '../../cache/index.ts';
import type { ChangeSourceConfig } from '../../config/model.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Clock } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import type { SourceBoard } from '../board.ts';
import type { SourceMemory, SourceStatus } from '../contract.ts';

/** A source in the words of `GET /v1/changes`. */
export interface SourceDescription {
  name: string;
  kind: ChangeSourceConfig['reader']['kind'];
  state: SourceStatus;
  /** The last one applied. */
  position: string | null;
  lagBytes: number | null;
  lagSeconds: number | null;
  /** Rows of mapped tables, as this node has read them. */
  events: number;
  /** Events that could not be understood; what they may have touched was fenced. */
  skipped: number;
  error: string | null;
}

export interface ReaderParts {
  readonly sequence: SequenceLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly memory: SourceMemory;
  /** What all workers are told by. */
  readonly board: SourceBoard;
  /** Nodes share their invalidations. */
  readonly shared: boolean;
  /** Goes on reading while the log that nodes share is away: its cache is answered from even then. */
  readonly readsAlone?: boolean;
}

/** Of one source, over all times that this node has read it. */
export interface Counts {
  events: number;
  skipped: number;
}
