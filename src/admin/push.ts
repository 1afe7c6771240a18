import type { Context } from 'hono';
import type { NodeView } from '../workers/index.ts';
import type { Audit } from './audit.ts';
import { problem } from './problem.ts';

const TITLES = {
  400: 'Bad Request',
  401: 'Unauthorized',
  413: 'Content Too Large',
  503: 'Service Unavailable',
};

/** The source that events are posted to at a path; null: the path is another resource's. */
export function postedTo(path: string): string | null {
  return /^\/v1\/changes\/([A-Za-z][\w-]*)(?:\?|$)/.exec(path)?.[1] ?? null;
}

/** `POST /v1/changes/NAME`: events of Debezium, for a source that takes them so. */
export async function push(c: Context, view: Pick<NodeView, 'push'>, audit: Audit): Promise<Response> {
  const source = c.req.param('name') ?? '';
  const body = Buffer.from(await c.req.arrayBuffer());
  const reply = await view.push(source, { headers: c.req.header(), body });
  if (reply === null)
    return problem(c, 404, 'Not Found', 'There is no change source of that name to which events are posted.');
  const { status, detail } = reply;
  audit(c, 'changes were posted', status === 200 ? 'done' : (detail ?? TITLES[status]), {
    source,
    bytes: body.length,
    by: 'token of the source',
  });
  return status === 200 ? c.json({}) : problem(c, status, TITLES[status], detail ?? '');
}
