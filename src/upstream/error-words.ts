import { tlsTrouble } from '../util/tls-trouble.ts';
import { socketTrouble } from '../util/unix-socket.ts';

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was closed before an answer',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name does not resolve',
};

/**
 * What went wrong with a connection, for people. Where a name has several addresses and none answers, Node's error
 * has a list in place of a message.
 */
export function wordsOf(error: NodeJS.ErrnoException): string {
  const first: NodeJS.ErrnoException =
    error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  return (
    socketTrouble(first) ??
    tlsTrouble(first) ??
    WORDS[first.code ?? ''] ??
    (first.message || String(first.code))
  );
}
