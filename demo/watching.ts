import { setTimeout as pause } from 'node:timers/promises';

/** A change of the database, as `GET /v1/events` tells it. */
interface Change {
  table: string;
  op: string;
  key: string | null;
  tags: string[];
  more: number;
  unseated: number;
}

/** Between two tries for an admin listener that has gone; ms. */
const AGAIN = 1000;

/**
 * Prints each change of the database, with its tags and how many kept answers it has unseated, as it happens. Ends with
 * the gateway, and at once where that tells of no events.
 */
export async function watchChanges(
  admin: string,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let last = '';
  while (!signal.aborted) {
    try {
      const headers = { accept: 'text/event-stream', ...(last === '' ? {} : { 'last-event-id': last }) };
      const answer = await fetch(`${admin}/v1/events`, { headers, signal });
      if (!answer.ok || answer.body === null) return;
      for await (const event of eventsOf(answer.body)) {
        last = event.id ?? last;
        const line = lineOf(event);
        if (line !== null) print(line);
      }
    } catch {
      // It was ended, or the listener has gone.
    }
    await pause(AGAIN, undefined, { signal }).catch(() => {});
  }
}

interface Event {
  id: string | null;
  type: string;
  data: string;
}

/** Server-sent events (WHATWG HTML §9.2.6), as far as this feed uses them. */
async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Event> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) yield eventOf(block);
  }
}

function eventOf(block: string): Event {
  const event: Event = { id: null, type: 'message', data: '' };
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (name === 'id') event.id = value;
    else if (name === 'event') event.type = value;
    else if (name === 'data') event.data += value;
  }
  return event;
}

function lineOf({ type, data }: Event): string | null {
  if (type === 'change') {
    const { table, op, key, tags, more, unseated } = JSON.parse(data) as Change;
    const row = key === null ? table : `${table} ${key}`;
    const others = more > 0 ? ` and ${more} more` : '';
    return `  ${op} of ${row} → ${tags.join(', ')}${others}: ${kept(unseated)}`;
  }
  if (type === 'changes') {
    const { count, unseated } = JSON.parse(data) as { count: number; unseated: number };
    return `  ${count} more changes: ${kept(unseated)}`;
  }
  return null;
}

function kept(count: number): string {
  return count === 1 ? '1 kept answer unseated' : `${count} kept answers unseated`;
}
