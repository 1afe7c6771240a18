import { hash } from 'node:crypto';
import { JsonError, parseJson, toJson, type Value } from '../expression/index.ts';
import type { Headers } from '../http/headers.ts';
import type { Clock } from '../util/clock.ts';
import type { Binding } from './binding.ts';
import type { Identity, SharedRecord, SharedRecords } from './contract.ts';
import { type Asked, asked } from './decisions.ts';

/** Larger ones stay in the worker that has asked. */
const LARGEST = 64 * 1024;

/** A decision that another worker or node has had, and the number that it has there. */
export interface Found {
  readonly asked: Asked;
  readonly sequence: number;
}

/**
 * Decisions of one provider that nodes keep together, in Redis. Only what lets requests pass stands there: whatever
 * bad credentials may come, they take no room from anything. Of the credential there is a hash, in a hash.
 */
export class SharedDecisions {
  private readonly records: SharedRecords;
  private readonly space: string;
  private readonly clock: Clock;

  /** `config`: all that its decisions follow from. What was decided by another config is never taken over. */
  constructor(records: SharedRecords, config: string, clock: Clock) {
    this.records = records;
    this.space = hash('sha256', config, 'base64url');
    this.clock = clock;
  }

  async get(key: string): Promise<Found | null> {
    const record = await this.records.get(this.nameOf(key));
    return record === null ? null : decode(record, this.clock.wall());
  }

  /** What can't be written down exactly isn't shared. */
  put(key: string, asked: Asked, sequence: number): void {
    const { decision, tags, keep, keepStale, shared, weight } = asked;
    if (decision.kind !== 'allowed' || tags === null || keep <= 0 || !shared || weight > LARGEST) return;
    const { claims, tags: _tags, sequence: _sequence, ...rest } = decision.identity;
    if (!isJson(claims as ReadonlyMap<Value, Value>)) return;
    const at = this.clock.wall();
    const written: Written = { at, keep, keepStale, weight, claims: toJson(claims as Value), ...rest };
    const bytes = Buffer.from(JSON.stringify(written));
    if (bytes.length > LARGEST) return;
    this.records.put(this.nameOf(key), { bytes, tags, sequence, until: at + keepStale });
  }

  delete(key: string): void {
    this.records.delete(this.nameOf(key));
  }

  /** No name of an answer in the cache begins so. */
  private nameOf(key: string): string {
    return `\0decision ${this.space} ${key}`;
  }
}

interface Written {
  /** When it was written; milliseconds since 1970. */
  readonly at: number;
  readonly keep: number;
  readonly keepStale: number;
  readonly weight: number;
  /** As JSON of its own, for its numbers are of any size. */
  readonly claims: string;
  readonly subject: string | null;
  readonly permissions: readonly string[];
  readonly scopes: readonly string[];
  readonly provider: string;
  readonly expiresAt: number | null;
  readonly tokenHash: string | null;
  readonly boundTo?: Binding | null;
  readonly toService: Headers;
  readonly toClient: Headers;
}

function decode({ bytes, tags, sequence }: SharedRecord, now: number): Found | null {
  const written = read(bytes);
  if (written === null) return null;
  const { at, keep, keepStale, weight, ...rest } = written;
  const identity: Identity = { ...rest, tags, sequence };
  // Clocks of nodes differ: whichever is late, nothing is kept for longer than was said, nor past its end.
  const age = Math.max(0, now - at);
  const left = identity.expiresAt === null ? Number.POSITIVE_INFINITY : identity.expiresAt - now;
  const kept = asked({ kind: 'allowed', identity }, tags, Math.min(keep - age, left), weight);
  return { asked: { ...kept, keepStale: Math.min(keepStale - age, left) }, sequence };
}

type Read = Omit<Written, 'claims'> & Pick<Identity, 'claims'>;

/** Null: this is not of our writing. */
function read(bytes: Buffer): Read | null {
  try {
    const written = JSON.parse(bytes.toString()) as Written | null;
    const claims = parseJson(Buffer.from(String(written?.claims)), { duplicates: 'reject' });
    return claims instanceof Map ? { ...written!, claims: claims as Identity['claims'] } : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof JsonError) return null;
    throw error;
  }
}

/** Is it the same once it was written as JSON, and read again? */
function isJson(value: Value): boolean {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return true;
  if (typeof value === 'string') return value.isWellFormed();
  // A double without a fraction would come back as an integer, which is divided otherwise.
  if (typeof value === 'number') return Number.isFinite(value) && !Number.isInteger(value);
  if (Array.isArray(value)) return value.every(isJson);
  if (!(value instanceof Map)) return false;
  for (const [key, member] of value) if (typeof key !== 'string' || !isJson(member)) return false;
  return true;
}
