/** What the admin API gives; all that the page knows comes through here. */

export interface Wait {
  count: number;
  p50: number | null;
  p99: number | null;
}

export interface Route {
  name: string;
  match: string;
  action: string;
  does: string;
  services: string[];
  guarded: boolean;
  cached: boolean;
  /** Of its file; null: it stands in no text. */
  line: number | null;
  requests: number;
  /** Hits that were compared with what the origin says, and those that were not the same. */
  audited: number;
  mismatched: number;
  /** Entries that a change had unseated, by what became of them in the background. */
  refreshed: number;
  refreshFailed: number;
  refreshDropped: number;
  p50: number | null;
  p99: number | null;
  waits: Record<string, Wait>;
}

export interface Target {
  name: string;
  /** `drain`: an operator has taken it out. */
  state: string;
  health: string;
  connections: { open: number; inUse: number };
  requests: number;
  failures: number;
  retries: number;
  lastFailure: { at: string; message: string } | null;
}

export interface Service {
  name: string;
  breaker: string;
  pending: number;
  targets: Target[];
}

export interface Source {
  name: string;
  kind: string;
  state: string;
  position: string | null;
  lagSeconds: number | null;
  events: number;
  error: string | null;
}

export interface Cache {
  entries: number;
  bytes: number;
  redis: { state: 'connected' | 'away'; since: string; reason: string | null } | null;
}

export interface Status {
  version: string;
  workers: number;
  config: { etag: string; loadedAt: string; source: string; refused: { at: string; error: string } | null };
  listeners: { name: string; address: string }[];
}

/** One second of the node. Times in seconds; null: there was no request to tell it by. */
export interface Figures {
  requests: number;
  p50: number | null;
  p99: number | null;
  /** Of requests to routes with a cache. */
  hitShare: number | null;
  errors: number;
}

export interface Series {
  until: string;
  requests: number[];
  p50: (number | null)[];
  p99: (number | null)[];
  hitShare: (number | null)[];
  errors: number[];
}

export interface RouteMoves {
  requests: number;
  hits: number;
  refused: number;
  errors: number;
  p50: number | null;
  p99: number | null;
}

/** The second that is just over; what did not move is not in it. */
export interface Sample extends Figures {
  at: string;
  routes: Record<string, RouteMoves>;
  edges: { route: string; service: string; requests: number; errors: number }[];
  listeners: { listener: string; route: string; requests: number }[];
}

/** A request that is over. Times in ms. */
export interface Remembered {
  id: string;
  at: string;
  method: string;
  host: string;
  path: string;
  status: number;
  route: string | null;
  auth: { provider: string; subject: string | null } | null;
  cache: { outcome: string; detail: string | null } | null;
  service: string | null;
  target: string | null;
  failure: { code: string; cause: string } | null;
  firstByte: number | null;
  duration: number;
}

/** The gateway asks for a token, or for another one. */
export class NeedsToken extends Error {}

const KEY = 'tidegate-admin-token';
/** Milliseconds for an answer, and between two events: there is one each second. */
const PATIENCE = 5000;

export function setToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

export function hasToken(): boolean {
  return sessionStorage.getItem(KEY) !== null;
}

function headers(): Record<string, string> {
  const token = sessionStorage.getItem(KEY);
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

export async function get<T>(path: string): Promise<T> {
  return (await (await asked(path, {}, AbortSignal.timeout(PATIENCE))).json()) as T;
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  return (await (await asked(path, init, AbortSignal.timeout(PATIENCE))).json()) as T;
}

async function asked(path: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
  const response = await fetch(path, {
    ...init,
    headers: { ...headers(), ...(init.headers as Record<string, string> | undefined) },
    signal,
  });
  if (response.ok) return response;
  const { detail } = (await response.json().catch(() => ({}))) as { detail?: string };
  if (response.status === 401) throw new NeedsToken(detail);
  throw new Error(detail ?? `${path} answers ${response.status}`);
}

let last = '';

/**
 * Events, from where the last call left off, until the connection or `signal` ends it. `begun` is called once they
 * flow.
 */
export async function events(
  heard: (type: string, data: Record<string, unknown>) => void,
  begun: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const silence = new AbortController();
  const ends = AbortSignal.any([signal, silence.signal]);
  let timer = setTimeout(() => silence.abort(), PATIENCE);
  try {
    const { body } = await asked(
      '/v1/events',
      last === '' ? {} : { headers: { 'last-event-id': last } },
      ends,
    );
    const starting = begun();
    // Who awaits it below hears of it; until then it is no unhandled one.
    starting.catch(() => silence.abort());
    for await (const event of eventsIn(body!)) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), PATIENCE);
      if (event.id !== '') last = event.id;
      heard(event.type, JSON.parse(event.data) as Record<string, unknown>);
    }
    await starting;
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

async function* eventsIn(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<{ id: string; type: string; data: string }> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (text + value).split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s, 2)));
      if (fields.event !== undefined)
        yield { id: fields.id ?? '', type: fields.event, data: fields.data ?? '{}' };
    }
  }
}
