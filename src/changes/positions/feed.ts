import { type BinlogPosition, binlogPositions } from './binlog.ts';
import type { PositionKind } from './contract.ts';
import { lsnPositions } from './lsn.ts';

export type FeedPosition =
  | { readonly kind: 'lsn'; readonly lsn: bigint }
  | { readonly kind: 'binlog'; readonly at: BinlogPosition };

/** Debezium's events tell how far the database's own log is proven to have come: an LSN, or a file and an offset. */
export const feedPositions: PositionKind<FeedPosition> = {
  expects: 'an LSN such as 0/16B3748 (PostgreSQL), or binlog.000001:4 (MySQL)',
  parse: (text) => {
    const lsn = lsnPositions.parse(text);
    if (lsn !== null) return { kind: 'lsn', lsn };
    const at = binlogPositions.parse(text);
    return at === null ? null : { kind: 'binlog', at };
  },
  covers: (applied, asked) => {
    if (applied.kind === 'lsn' && asked.kind === 'lsn') return applied.lsn >= asked.lsn;
    return (
      applied.kind === 'binlog' && asked.kind === 'binlog' && binlogPositions.covers(applied.at, asked.at)
    );
  },
};
