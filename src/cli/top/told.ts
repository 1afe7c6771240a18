import type { Piece, Tone } from './paint.ts';
import { amount, duration } from './units.ts';

/** An event of the gateway, in words. */
export interface Told {
  /** When it was heard, ms since 1970. */
  readonly at: number;
  readonly piece: Piece;
}

/** Of what was purged. */
const MOST_NAMES = 5;

type Data = Readonly<Record<string, unknown>>;

/** What an event says; null: nothing that people read here. */
export function told(type: string, data: Data, at: number): Told | null {
  const say = (text: string, tone: Tone = 'plain'): Told => ({ at, piece: [text, tone] });
  switch (type) {
    case 'change':
      return say(changed(data as unknown as Change));
    case 'changes':
      return say(
        `${amount(Number(data.count))} more rows of ${data.source} → ${unseated(Number(data.unseated))}`,
      );
    case 'source':
      return say(
        `source ${data.name} is ${data.state}${data.error ? `: ${data.error}` : ''}`,
        data.state === 'streaming' ? 'good' : 'look',
      );
    case 'purge':
      return say(`${data.soft ? 'made stale:' : 'purged'} ${purged(data)}`);
    case 'reload':
      return data.ok
        ? say(`config reloaded from ${data.source}`)
        : say(`config refused: ${String(data.error).trimStart().split('\n', 1)[0]}`, 'act');
    case 'health':
      return say(
        `${data.service}: ${data.target} is ${data.state}${data.why ? ` (${data.why})` : ''}`,
        data.state === 'out' ? 'act' : 'good',
      );
    case 'breaker':
      return say(
        `${data.service}: its breaker is ${data.state}`,
        data.state === 'open' ? 'act' : data.state === 'closed' ? 'good' : 'look',
      );
    case 'gap':
      return say('some events were missed', 'look');
    default:
      return null;
  }
}

interface Change {
  table: string;
  op: string;
  key: string | null;
  tags: readonly string[];
  more: number;
  unseated: number;
  afterMs: number | null;
}

const DONE: Readonly<Record<string, string>> = {
  insert: 'inserted',
  update: 'updated',
  delete: 'deleted',
  truncate: 'emptied',
};

function changed({ table, op, key, tags, more, unseated: count, afterMs }: Change): string {
  const row = `${table}${key === null ? '' : ` ${key}`} ${DONE[op] ?? op}`;
  const also = more > 0 ? ` and ${more} more` : '';
  // By the gateway's clock, not by the one of this terminal.
  const late = afterMs === null ? '' : `, ${duration(afterMs / 1000)} after commit`;
  return `${row} → ${tags.join(', ')}${also} → ${unseated(count)}${late}`;
}

function unseated(count: number): string {
  return `${count === 1 ? '1 entry' : `${amount(count)} entries`} unseated`;
}

function purged({ tags, urls, prefixes, more = 0, all }: Data): string {
  if (all) return 'everything';
  const what = [tags, urls, prefixes].flatMap((list) => (Array.isArray(list) ? (list as string[]) : []));
  const rest = Math.max(0, what.length - MOST_NAMES) + Number(more);
  return `${what.slice(0, MOST_NAMES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
