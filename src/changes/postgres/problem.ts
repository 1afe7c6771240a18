import type pg from 'pg';

/**
 * Why the source can't be followed, ready to be shown. `closes`: until it is mended, changes may pass unseen, so
 * that nothing the source feeds may be answered from the cache.
 */
export class SourceProblem extends Error {
  readonly closes: boolean;

  constructor(message: string, { closes = false } = {}) {
    super(message);
    this.closes = closes;
  }
}

/** Names of users' things in SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `public.orders` as SQL has it. The schema ends at the first dot. */
export function quotedTable(table: string): string {
  const dot = table.indexOf('.');
  return `${quoted(table.slice(0, dot))}.${quoted(table.slice(dot + 1))}`;
}

export function sqlState(error: unknown): string {
  return String((error as Partial<pg.DatabaseError>).code ?? '');
}

/** An error of the server or the network as one sentence with what would mend it. Addresses and passwords are left out. */
export function explain(error: unknown): string {
  if (error instanceof SourceProblem) return error.message;
  const { message, code, detail } = error as Partial<pg.DatabaseError>;
  const said = `${message ?? String(error)}${detail === undefined ? '' : `: ${detail}`}`;
  if (UNKNOWN_LOGIN.test(said)) return UNKNOWN_LOGIN_ADVICE;
  return ADVICE[String(code ?? '')] ?? said;
}

/** What pg throws at AuthenticationGSS and the like. */
const UNKNOWN_LOGIN = /^Unknown authenticationOk message type/;
const UNKNOWN_LOGIN_ADVICE =
  'the database asks the user to log in by a way other than a password: let its line in pg_hba.conf say scram-sha-256';

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the database refuses connections: is it running, and is the port right?',
  ENOTFOUND: "the name of the database's host cannot be resolved",
  EAI_AGAIN: "the name of the database's host cannot be resolved",
  EHOSTUNREACH: "the database's host cannot be reached from here",
  ENETUNREACH: "the database's host cannot be reached from here",
  '28P01': 'the database refuses the password',
  '28000':
    'the database refuses the user: is there a line for it in pg_hba.conf (replication needs none of its own)?',
  '3D000': 'there is no such database',
  '57P03': 'the database is starting up or shutting down',
  '57P01': 'the connection was ended by the database',
  '53300': 'the database takes no more connections: raise max_connections or max_wal_senders',
  '53400':
    'the database has no replication slot left: raise max_replication_slots (and restart it), or drop one that is not used',
};
