import type { ChangeReaderConfig } from '../../config/model.ts';
import { binlogPositions } from './binlog.ts';
import type { PositionKind } from './contract.ts';
import { feedPositions } from './feed.ts';
import { lsnPositions } from './lsn.ts';
import { kafkaPositions } from './topic-offsets.ts';

export type { PositionKind } from './contract.ts';
export { formatLsn, parseLsn } from './lsn.ts';

const KINDS: Readonly<Record<ChangeReaderConfig['kind'], PositionKind>> = {
  postgres: lsnPositions as PositionKind,
  mysql: binlogPositions as PositionKind,
  kafka: kafkaPositions as PositionKind,
  redis: feedPositions as PositionKind,
  nats: feedPositions as PositionKind,
  http: feedPositions as PositionKind,
};

/** How positions of a source are written and compared. */
export function positionsOf({ kind }: ChangeReaderConfig): PositionKind {
  return KINDS[kind];
}
