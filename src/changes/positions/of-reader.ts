import { binlogPositions } from './binlog.ts';
import type { PositionKind } from './contract.ts';
import { feedPositions } from './feed.ts';
import { lsnPositions } from './lsn.ts';
import { kafkaPositions } from './topic-offsets.ts';

/** How positions are spelled, by the kind of the source's reader. */
export const POSITIONS: Readonly<
  Record<'postgres' | 'mysql' | 'kafka' | 'redis' | 'nats' | 'http', PositionKind>
> = {
  postgres: lsnPositions as PositionKind,
  mysql: binlogPositions as PositionKind,
  kafka: kafkaPositions as PositionKind,
  redis: feedPositions as PositionKind,
  nats: feedPositions as PositionKind,
  http: feedPositions as PositionKind,
};
