import type { ChangeReaderConfig } from '../../config/model.ts';
import type { PositionKind } from './contract.ts';
import { lsnPositions } from './lsn.ts';

export type { PositionKind } from './contract.ts';
export { formatLsn, parseLsn } from './lsn.ts';

const KINDS: Readonly<Record<ChangeReaderConfig['kind'], PositionKind>> = {
  postgres: lsnPositions as PositionKind,
};

/** How positions of a source are written and compared. */
export function positionsOf({ kind }: ChangeReaderConfig): PositionKind {
  return KINDS[kind];
}
