import {
  type Cache,
  events,
  get,
  hasToken,
  NeedsToken,
  type Remembered,
  type Route,
  type Sample,
  type Series,
  type Service,
  type Source,
  type Status,
  setToken,
} from './api.ts';
import { byId, say } from './dom.ts';
import { clock } from './format.ts';
import { Traffic } from './traffic.ts';

/** Milliseconds between two tries, and between two looks at what does not tell of itself. */
const AGAIN = 2000;
const LOOK = 5000;
/** The same where a route fails of which it is not known why. */
const LOOK_SOON = 1000;
/** Events of what is looked at anew. */
const LOOKED_AT: ReadonlySet<string> = new Set(['reload', 'health', 'breaker', 'source']);
/** Failures that are looked at for why routes fail. */
const FAILURES = 100;

export interface NodeListener {
  /** Once a second, when there is something new to draw. */
  second(): void;
  event(type: string, data: Record<string, unknown>): void;
}

/** All that the page knows of the gateway. One connection brings events; while nobody looks there is none. */
export class GatewayNode {
  readonly traffic = new Traffic();
  routes: readonly Route[] = [];
  services: readonly Service[] = [];
  sources: readonly Source[] = [];
  cache: Cache | null = null;
  /** The newest first. */
  failures: readonly Remembered[] = [];
  status: Status | null = null;
  private readonly listener: NodeListener;
  private lastGood = 0;
  private lookedAt = 0;
  /** Wakes whoever waits for another try. */
  private wake = () => {};

  constructor(listener: NodeListener) {
    this.listener = listener;
    document.addEventListener('visibilitychange', () => this.wake());
    byId('token').addEventListener('submit', (event) => {
      event.preventDefault();
      setToken(byId<HTMLInputElement>('token-value').value);
      this.wake();
    });
  }

  async run(): Promise<never> {
    for (;;) {
      if (document.hidden) await this.woken(null);
      else {
        await this.follow().catch((error: Error) => this.lost(error));
        // Whoever hides the page has ended it.
        if (!document.hidden) await this.woken(byId('token').hidden ? AGAIN : null);
      }
    }
  }

  private async follow(): Promise<void> {
    const ends = new AbortController();
    const hide = () => {
      if (document.hidden) ends.abort();
    };
    document.addEventListener('visibilitychange', hide);
    try {
      await events(
        (type, data) => this.hear(type, data),
        () => this.begin(),
        ends.signal,
      );
      throw new Error('the connection has ended');
    } catch (error) {
      if (!ends.signal.aborted) throw error;
    } finally {
      document.removeEventListener('visibilitychange', hide);
    }
  }

  private async begin(): Promise<void> {
    const [series] = await Promise.all([get<Series>('/v1/series'), this.readConfig(), this.look()]);
    this.traffic.begin(series);
    byId('token').hidden = true;
    this.drawn();
  }

  private hear(type: string, data: Record<string, unknown>): void {
    if (type !== 'sample') {
      this.listener.event(type, data);
      if (type === 'reload') void this.readConfig().catch(() => {});
      // Health and sources are drawn as they change, not seconds later.
      if (LOOKED_AT.has(type)) this.lookedAt = 0;
      return;
    }
    // Before the first look there is nothing that it could be added to.
    if (this.status === null || this.traffic.until === 0 || !this.traffic.add(data as unknown as Sample))
      return;
    if (Date.now() - this.lookedAt >= this.patience(data as unknown as Sample))
      void this.look().catch(() => {});
    this.drawn();
  }

  private patience({ routes }: Sample): number {
    const known = new Set(this.failures.map(({ route }) => route));
    return Object.entries(routes).some(([name, { errors }]) => errors > 0 && !known.has(name))
      ? LOOK_SOON
      : LOOK;
  }

  private async readConfig(): Promise<void> {
    const [{ routes }, status] = await Promise.all([
      get<{ routes: Route[] }>('/v1/routes'),
      get<Status>('/v1/status'),
    ]);
    this.routes = routes;
    this.status = status;
  }

  private async look(): Promise<void> {
    this.lookedAt = Date.now();
    const [{ services }, { sources }, { requests }, cache, status] = await Promise.all([
      get<{ services: Service[] }>('/v1/services'),
      get<{ sources: Source[] }>('/v1/changes'),
      get<{ requests: Remembered[] }>(`/v1/requests?failed=true&limit=${FAILURES}`),
      get<Cache>('/v1/cache'),
      get<Status>('/v1/status'),
    ]);
    this.failures = requests;
    this.services = services;
    this.sources = sources;
    this.cache = cache;
    this.status = status;
  }

  private drawn(): void {
    const { version, workers, config } = this.status!;
    this.lastGood = Date.now();
    tell(
      `${version} · ${workers} ${workers === 1 ? 'worker' : 'workers'} · ${config.source === 'api' ? 'config came over the API' : config.source.split('/').at(-1)}`,
      false,
    );
    this.listener.second();
  }

  private lost(error: Error): void {
    if (error instanceof NeedsToken) {
      say(
        byId('token-label'),
        hasToken()
          ? 'That is not its token. The gateway asks for another one'
          : 'This gateway asks for its admin token',
      );
      byId('token').hidden = false;
      byId('token-value').focus();
      return tell('Waiting for the token', true);
    }
    tell(
      this.lastGood === 0
        ? 'No answer yet; it is asked again'
        : `No answer since ${clock(this.lastGood)}: these figures are old`,
      true,
    );
  }

  private woken(ms: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === null ? 0 : setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Figures that are old are grey, besides being called so. */
function tell(text: string, old: boolean): void {
  say(byId('node'), text);
  document.body.toggleAttribute('data-old', old);
}
