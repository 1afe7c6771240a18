import { METHODS } from 'node:http';
import { difference, pairs } from './messages.ts';
import { nodeRequests } from './node-requests.ts';
import { ourRequests } from './our-requests.ts';
import { describe, type Outcome, type Understood } from './outcome.ts';

/**
 * Compares how the gateway and Node's strict parser read the same stream. What Node refuses must be refused,
 * and what both take must mean the same. The gateway may refuse more.
 *
 * @returns null, or what they disagree on
 */
export async function compareRequests(bytes: string, offsets: readonly number[]): Promise<string | null> {
  const ours = await ourRequests(bytes, []);
  if (offsets.length > 0) {
    const cut = await ourRequests(bytes, offsets);
    if (!sameOutcome(cut, ours))
      return `cut at ${offsets.join(', ')} it means something else:\n  ${describe(ours)}\n  ${describe(cut)}`;
  }
  const nodes = await nodeRequests(bytes);
  const problem = disagreement(bytes, ours, nodes);
  return problem === null ? null : `${problem}\n  ours: ${describe(ours)}\n  Node's: ${describe(nodes)}`;
}

/** Of two things wrong in one head, the packets may decide which is seen first. */
function sameOutcome(one: Outcome, other: Outcome): boolean {
  return one.end === other.end && JSON.stringify(one.taken) === JSON.stringify(other.taken);
}

function disagreement(bytes: string, ours: Outcome, nodes: Outcome): string | null {
  for (const [index, mine] of ours.taken.entries()) {
    const theirs = nodes.taken[index];
    if (theirs === undefined)
      return isExcused(bytes, mine, ours.taken[index - 1], nodes)
        ? null
        : `only we take message ${index + 1}`;
    const inWhat = difference(mine, theirs);
    if (inWhat !== null) return `message ${index + 1} differs in ${inWhat}`;
  }
  return null;
}

/** Where taking what Node does not take is right. */
function isExcused(bytes: string, mine: Understood, before: Understood | undefined, nodes: Outcome): boolean {
  // Node takes no tab behind the coding, RFC 9112 §5 does.
  if (nodes.why.startsWith('HPE_INVALID_TRANSFER_ENCODING') && /chunked *\t[ \t]*\r\n/i.test(bytes))
    return true;
  // Node knows a fixed list of methods; RFC 9110 §9.1 lets any token be one.
  if (nodes.why.startsWith('HPE_INVALID_METHOD') && !METHODS.includes(mine.what)) return true;
  // To Node PRI is nothing but the beginning of HTTP/2's preface (RFC 9113 §3.4).
  if (nodes.why.includes('HTTP/2 Connection Preface') && mine.what === 'PRI') return true;
  // To Node a trailer named Connection speaks for the connection; trailers may not (RFC 9110 §6.5.1).
  if (nodes.why.startsWith('HPE_CLOSED_CONNECTION') && hasConnectionTrailer(nodes)) return true;
  // Node reads nothing behind a request to upgrade; one that was declined leaves HTTP in force (RFC 9110 §7.8).
  return before !== undefined && nodes.end === 'open' && /(^|,)upgrade,/i.test(String(before.headers));
}

function hasConnectionTrailer(nodes: Outcome): boolean {
  const last = nodes.taken.at(-1);
  return last !== undefined && pairs(last.trailers).some(([name]) => name.toLowerCase() === 'connection');
}
