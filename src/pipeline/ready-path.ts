import { type Exchange, type Reply, reply } from '../http/exchange.ts';
import type { AheadOfRoutes } from './ahead-of-routes.ts';

/** Whether requests are welcome at this node. */
export interface ReadyState {
  /** Null: they are. */
  readonly why: string | null;
}

/**
 * The path on which the main listeners tell load balancers whether requests are welcome. Why not is for the admin
 * listener alone: anybody may ask here.
 */
export class ReadyPath implements AheadOfRoutes {
  private readonly path: string;
  private readonly state: ReadyState;

  constructor(path: string, state: ReadyState) {
    this.path = path;
    this.state = state;
  }

  answer({ target, method }: Exchange): Reply | null {
    const { path } = this;
    if (!target.startsWith(path)) return null;
    if (target.length > path.length && target[path.length] !== '?') return null;
    if (method !== 'GET' && method !== 'HEAD') return told(405, 'only read\n', ['allow', 'GET, HEAD']);
    return this.state.why === null ? told(200, 'ok\n') : told(503, 'not ready\n', ['retry-after', '5']);
  }
}

function told(status: number, text: string, more: readonly string[] = []): Reply {
  const headers = ['content-type', 'text/plain; charset=utf-8', 'cache-control', 'no-store', ...more];
  return reply(status, headers, Buffer.from(text));
}
