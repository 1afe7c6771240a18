/** What the admin API gives; all that the page knows comes through here. */

export interface Route {
  name: string;
  match: string;
  action: string;
  does: string;
  services: string[];
  guarded: boolean;
  cached: boolean;
  requests: number;
  clientError: number;
  serverError: number;
  inFlight: number;
  limited: number;
  /** Requests by what the cache made of them. */
  outcomes: Record<string, number>;
  /** Requests by how long they took, as `bounds` says. */
  durations: number[];
}

export interface Routes {
  routes: Route[];
  unmatched: { requests: number };
  /** Upper ends of `durations`, in seconds; the last one has none. */
  bounds: number[];
}

export interface Target {
  name: string;
  weight: number;
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
  active: number;
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

export interface Status {
  version: string;
  uptime: number;
  workers: number;
  config: { source: string };
}

/** The gateway asks for a token, or for another one. */
export class NeedsToken extends Error {}

const KEY = 'tidegate-admin-token';

export function setToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

function headers(): Record<string, string> {
  const token = sessionStorage.getItem(KEY);
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

export async function get<T>(path: string): Promise<T> {
  return (await (await asked(path, {})).json()) as T;
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  return (await (await asked(path, init)).json()) as T;
}

async function asked(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, {
    ...init,
    headers: { ...headers(), ...(init.headers as Record<string, string> | undefined) },
    signal: AbortSignal.timeout(5000),
  });
  if (response.status === 401) throw new NeedsToken();
  if (response.ok) return response;
  const { detail } = (await response.json().catch(() => ({}))) as { detail?: string };
  throw new Error(detail ?? `${path} answers ${response.status}`);
}

/** Reads the events, for as long as the page is open: a lost connection is made again, and nothing is missed. */
export async function follow(heard: (type: string, data: Record<string, unknown>) => void): Promise<never> {
  let last = '';
  for (;;) {
    try {
      const response = await fetch('/v1/events', {
        headers: { ...headers(), ...(last === '' ? {} : { 'last-event-id': last }) },
      });
      if (response.ok && response.body !== null)
        for await (const event of eventsIn(response.body)) {
          if (event.id !== '') last = event.id;
          heard(event.type, JSON.parse(event.data) as Record<string, unknown>);
        }
      else await response.body?.cancel();
    } catch {
      // It comes back.
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
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
