import type { PositionKind } from './contract.ts';

/** A place in the log of MySQL or MariaDB: by GTIDs, or by a file and an offset in it. */
export type BinlogPosition =
  | { readonly kind: 'file'; readonly base: string; readonly file: bigint; readonly offset: bigint }
  /** MariaDB: the last transaction of each domain. */
  | { readonly kind: 'domains'; readonly last: ReadonlyMap<string, bigint> }
  /** MySQL: by source (and tag), intervals with both ends in them. */
  | { readonly kind: 'set'; readonly intervals: ReadonlyMap<string, readonly Interval[]> };

type Interval = readonly [first: bigint, last: bigint];

const FILE = /^([^:/\s]{1,200})\.(\d{1,12}):(\d{1,19})$/;
const DOMAINS = /^\d{1,10}-\d{1,10}-\d{1,20}(?:,\d{1,10}-\d{1,10}-\d{1,20}){0,99}$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INTERVAL = /^(\d{1,19})(?:-(\d{1,19}))?$/;
const TAG = /^[a-z_][a-z0-9_]{0,31}$/;

export const binlogPositions: PositionKind<BinlogPosition> = {
  expects: 'a GTID set such as 0-1-42 (MariaDB) or UUID:1-42 (MySQL), or binlog.000001:4',
  parse: parseBinlogPosition,
  covers,
};

export function parseBinlogPosition(given: string): BinlogPosition | null {
  const text = given.replaceAll(/\s/g, '').toLowerCase();
  const [, base, file, offset] = FILE.exec(given.trim()) ?? [];
  if (base !== undefined) return { kind: 'file', base, file: BigInt(file!), offset: BigInt(offset!) };
  if (DOMAINS.test(text)) return domains(text);
  return text.length > 10_000 ? null : gtidSet(text);
}

function domains(text: string): BinlogPosition {
  const last = text.split(',').map((gtid): [string, bigint] => {
    const [domain, , sequence] = gtid.split('-') as [string, string, string];
    return [domain, BigInt(sequence)];
  });
  return { kind: 'domains', last: new Map(last) };
}

function gtidSet(text: string): BinlogPosition | null {
  const intervals = new Map<string, Interval[]>();
  for (const part of text.split(',')) {
    const [uuid = '', ...items] = part.split(':');
    if (!UUID.test(uuid) || !INTERVAL.test(items.at(-1) ?? '')) return null;
    let source = uuid;
    for (const item of items) {
      const [, first, last = first] = INTERVAL.exec(item) ?? [];
      if (first !== undefined)
        intervals.set(source, [...(intervals.get(source) ?? []), [BigInt(first), BigInt(last!)]]);
      else if (TAG.test(item)) source = `${uuid}:${item}`;
      else return null;
    }
  }
  return { kind: 'set', intervals };
}

function covers(applied: BinlogPosition, asked: BinlogPosition): boolean {
  if (applied.kind === 'file' && asked.kind === 'file') return reaches(applied, asked);
  if (applied.kind === 'domains' && asked.kind === 'domains')
    return [...asked.last].every(([domain, sequence]) => (applied.last.get(domain) ?? -1n) >= sequence);
  if (applied.kind === 'set' && asked.kind === 'set')
    return [...asked.intervals].every(([source, own]) =>
      own.every(([first, last]) =>
        (applied.intervals.get(source) ?? []).some(([from, to]) => from <= first && last <= to),
      ),
    );
  return false;
}

type FilePosition = BinlogPosition & { kind: 'file' };

function reaches(applied: FilePosition, asked: FilePosition): boolean {
  if (applied.base !== asked.base) return false;
  return applied.file === asked.file ? applied.offset >= asked.offset : applied.file > asked.file;
}
