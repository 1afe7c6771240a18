import type { Context } from 'hono';
import type { TargetMode } from '../upstream/index.ts';
import { maskUrl } from '../util/secret-looks.ts';
import type { NodeView } from '../workers/index.ts';
import type { Audit } from './audit.ts';
import { jsonBody } from './json-body.ts';
import { problem } from './problem.ts';

/** Of a name that is no target's, in the log. */
const LONGEST = 256;
const SHAPE = 'Send { "state": "drain" } or { "state": "active" }.';
const HANDING_OVER = 'A new version of the gateway is starting and takes over: ask that one.';
const UNKNOWN = 'There is no such target; GET /v1/services names every service with its targets.';

/**
 * `POST /v1/services/NAME/targets/TARGET`: drains a target, or takes it in again. TARGET is its name as
 * `/v1/services` shows it, percent-encoded or not, or its host and port.
 */
export async function steerTarget(
  c: Context,
  view: Pick<NodeView, 'steerTarget'>,
  audit: Audit,
): Promise<Response> {
  const mode = modeOf(await jsonBody(c));
  if (mode === null) return problem(c, 400, 'Bad Request', SHAPE);
  const [service, target] = [c.req.param('service') ?? '', c.req.param('target') ?? ''];
  const found = await view.steerTarget(service, target, mode);
  if (found === 'handing over')
    return problem(c, 503, 'Service Unavailable', HANDING_OVER, { 'retry-after': '5' });
  const what = mode === 'drain' ? 'a target was drained' : 'a target was taken in again';
  const asked = { service: service.slice(0, LONGEST), target: maskUrl(target.slice(0, LONGEST)) };
  audit(c, what, found === null ? 'unknown' : 'done', found ?? asked);
  if (found === null) return problem(c, 404, 'Not Found', UNKNOWN);
  return c.json({ ...found, state: mode });
}

function modeOf(body: unknown): TargetMode | null {
  if (typeof body !== 'object' || body === null || Object.keys(body).length !== 1) return null;
  const { state } = body as { state?: unknown };
  return state === 'drain' || state === 'active' ? state : null;
}
