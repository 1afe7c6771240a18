import type { Value } from '../../expression/index.ts';
import { formatLsn } from '../positions/lsn.ts';
import type { Members } from './envelope.ts';

/** Where an event comes from: its `source`. */
export interface Provenance {
  readonly connector: string;
  /** `schema.table` for PostgreSQL, `db.table` for MySQL and MariaDB; null where no table is named. */
  readonly table: string | null;
  /** The database, for events that touch all of it. */
  readonly database: string | null;
  /** A read of the first snapshot, not a change. */
  readonly snapshot: boolean;
  /** One that was asked for while the log is followed on: it hides nothing. */
  readonly incremental: boolean;
  /** Milliseconds since 1970 of the change in the database; null where it isn't told. */
  readonly changedAt: number | null;
  /** How far the database's log is proven to have come, as the database spells it; null where it isn't told. */
  readonly position: string | null;
  /** The position is that of the change, not of its commit: another's that came before may be further on. */
  readonly unordered: boolean;
}

export function readProvenance(body: Members): Provenance | null {
  const source = body.get('source');
  if (!(source instanceof Map)) return null;
  const connector = text(source.get('connector')) ?? '';
  const database = text(source.get('db'));
  const schema = text(source.get('schema'));
  const table = text(source.get('table'));
  return {
    connector,
    table: table === null ? null : qualified(schema ?? database, table),
    database,
    snapshot: isSnapshot(source.get('snapshot')),
    incremental: source.get('snapshot') === 'incremental',
    changedAt: milliseconds(source.get('ts_ms')),
    position: connector === 'postgresql' ? lsnOf(source) : binlogPosition(source),
    unordered: connector === 'postgresql' && (source.get('sequence') ?? null) === null,
  };
}

function qualified(space: string | null, table: string): string {
  return space === null ? table : `${space}.${table}`;
}

/** `false`, or missing; else `true`, `first`, `last`, `first_in_data_collection`, … */
function isSnapshot(value: Value | undefined): boolean {
  return value !== undefined && value !== null && value !== false && value !== 'false';
}

function text(value: Value | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function milliseconds(value: Value | undefined): number | null {
  const number = typeof value === 'bigint' || typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : null;
}

/**
 * `sequence` holds the end of the last commit before the event, up to which all is proven. Where it is missing, `lsn` is
 * the change's own: it says nothing of its commit, but what was committed up to there came before.
 */
function lsnOf(source: Members): string | null {
  const sequence = source.get('sequence') ?? null;
  if (sequence === null) return isSnapshot(source.get('snapshot')) ? null : decimalLsn(source.get('lsn'));
  const [, committed] = (typeof sequence === 'string' ? /^\["(\d+)"/.exec(sequence) : null) ?? [];
  return committed === undefined ? null : formatLsn(BigInt(committed));
}

const BEYOND_LSN = 1n << 64n;

/** CloudEvents have it as text. */
function decimalLsn(lsn: Value | undefined): string | null {
  const number = typeof lsn === 'string' && /^\d{1,20}$/.test(lsn) ? BigInt(lsn) : lsn;
  return typeof number === 'bigint' && number >= 0n && number < BEYOND_LSN ? formatLsn(number) : null;
}

/** The place in the file where the event begins: what is before it is proven. */
function binlogPosition(source: Members): string | null {
  const file = text(source.get('file'));
  const position = source.get('pos');
  return file !== null && typeof position === 'bigint' ? `${file}:${position}` : null;
}
