import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeEvent, NodeEvents } from '../workers/index.ts';

export const EVENTS_PATH = '/v1/events';

/** Readers at once. */
const MOST_READERS = 100;
/** What may wait for a reader, in bytes; one that is slower is cut, and may come back with `Last-Event-ID`. */
const MOST_WAITING = 256 * 1024;
/** Events that may wait for a reader which came back for what it had missed: as many as are remembered, and as many again. */
const MOST_LATE = 2_000;
/** A line that says nothing keeps proxies from ending a quiet stream; ms. */
const BEAT = 15_000;

/**
 * Server-sent events (HTML, §9.2): `id`, `event` and `data` (JSON). `Last-Event-ID` goes on where a reader was; where
 * something since then is no longer known, an event `gap` says so. False: there are too many readers.
 */
export function streamEvents(
  request: IncomingMessage,
  response: ServerResponse,
  events: NodeEvents,
  headers: object,
): boolean {
  if (events.reading >= MOST_READERS) return false;
  response.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  response.write('retry: 2000\n\n');
  const write = (text: string) => {
    if (response.destroyed || response.writableEnded) return;
    response.write(text);
    if (response.writableLength > MOST_WAITING) response.destroy();
  };
  // What was missed goes out as it is taken, and what comes meanwhile behind it.
  const late: NodeEvent[] = [];
  let begun = false;
  const catchUp = () => {
    while (late.length > 0 && !response.writableNeedDrain) write(textOf(late.shift()!));
  };
  const take = (event: NodeEvent) => {
    if (begun && late.length === 0) write(textOf(event));
    else if (late.push(event) > MOST_LATE) response.destroy();
  };
  const reading = events.read(idOf(request.headers['last-event-id']), { event: take });
  begun = true;
  if (!reading.complete) write('event: gap\ndata: {}\n\n');
  catchUp();
  response.on('drain', catchUp);
  const beat = setInterval(() => write(':\n\n'), BEAT);
  beat.unref();
  response.once('close', () => {
    clearInterval(beat);
    reading.stop();
  });
  return true;
}

function textOf({ id, type, data }: NodeEvent): string {
  const numbered = id === null ? '' : `id: ${id}\n`;
  return `${numbered}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Null: it reads for the first time (HTML, §9.2.1: no id is an empty one). What is no id of this node's is older than all. */
function idOf(text: string | string[] | undefined): number | null {
  if (text === undefined || text === '') return null;
  return typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : 0;
}
