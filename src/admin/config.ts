import type { Context } from 'hono';
import { matchesWeakly } from '../cache/index.ts';
import type { ConfigControl, IssueReport, ReplaceResult } from '../workers/index.ts';
import type { Audit } from './audit.ts';
import { jsonBody, textBody } from './json-body.ts';
import { problem } from './problem.ts';

const CODE = 'The config is a program (.ts or .js): change its file.';
const NOT_UTF8: IssueReport = {
  code: 'TG_CONFIG_SYNTAX',
  severity: 'error',
  path: '',
  message: 'this is not UTF-8 text',
  suggestion: 'send the config as JSON in UTF-8',
};
const STALE = 'Another config is in force by now: read it again.';

/** `GET /v1/config`: the config in force, secrets masked. */
export function readConfig(c: Context, view: ConfigControl): Response {
  const { etag: tag, value } = view.config();
  const etag = `"${tag}"`;
  const known = c.req.header('if-none-match');
  if (known !== undefined && matchesWeakly(known, etag)) return c.body(null, 304, { etag });
  return c.json(value as object, 200, { etag });
}

/** `PUT /v1/config`: another one in its place, where it is the one that the client has read. */
export async function replaceConfig(c: Context, view: ConfigControl, audit: Audit): Promise<Response> {
  const ifMatch = matchOf(c.req.header('if-match'));
  if (ifMatch === null)
    return problem(
      c,
      428,
      'Precondition Required',
      'Send If-Match with the ETag of the config that you have read.',
    );
  if (ifMatch === undefined)
    return problem(c, 400, 'Bad Request', 'If-Match is one ETag as it was read, with its quotes, or *.');
  const text = await textBody(c);
  const result: ReplaceResult =
    text === null ? { kind: 'invalid', issues: [NOT_UTF8] } : await view.replaceConfig(text, ifMatch);
  audit(c, 'the config was replaced', result.kind, etagOf(result));
  return answered(c, result);
}

/** `POST /v1/config/validate`: what is wrong with one, and what it would change about routes. */
export async function validateConfig(c: Context, view: ConfigControl): Promise<Response> {
  const text = await textBody(c);
  const found = text === null ? { issues: [NOT_UTF8], routes: null } : await view.validateConfig(text);
  if (found === 'code') return problem(c, 409, 'Conflict', CODE);
  const valid = found.issues.every(({ severity }) => severity !== 'error');
  return c.json({ valid, issues: found.issues, routes: found.routes });
}

/** `POST /v1/config/rollback`: one that was in force before; the last, or the one of an etag. */
export async function rollbackConfig(c: Context, view: ConfigControl, audit: Audit): Promise<Response> {
  const etag = etagAskedFor(await jsonBody(c));
  if (etag === undefined)
    return problem(
      c,
      400,
      'Bad Request',
      'Send {}, or { "etag": "…" } of one that /v1/config/history names.',
    );
  const result = await view.rollbackConfig(etag);
  audit(c, 'the config was rolled back', result.kind, etagOf(result));
  return answered(c, result);
}

/** Null: the newest; undefined: the body makes no sense. */
function etagAskedFor(body: unknown): string | null | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  if (Object.keys(body).some((key) => key !== 'etag')) return undefined;
  const { etag = null } = body as { etag?: unknown };
  return etag === null || typeof etag === 'string' ? etag : undefined;
}

function etagOf(result: ReplaceResult): object {
  return result.kind === 'replaced' ? { etag: result.etag } : {};
}

function answered(c: Context, result: ReplaceResult): Response {
  switch (result.kind) {
    case 'replaced':
      return c.json({ etag: result.etag, routes: result.routes }, 200, { etag: `"${result.etag}"` });
    case 'code':
      return problem(c, 409, 'Conflict', CODE);
    case 'stale':
      return problem(c, 412, 'Precondition Failed', STALE);
    case 'unknown':
      return problem(
        c,
        404,
        'Not Found',
        'No such config was in force; GET /v1/config/history names those that were.',
      );
    case 'taken':
      return problem(c, 409, 'Conflict', notInForce(result.why));
    case 'failed':
      return problem(c, 500, 'Internal Server Error', notInForce(result.why));
    case 'invalid':
      return problem(c, 422, 'Unprocessable Content', sentence(result.issues), {}, { issues: result.issues });
  }
}

/** What a terminal is told on several lines is one sentence after another here. */
function notInForce(why: string): string {
  const told = why.replaceAll(/(?<=[.:])\n/g, ' ').replaceAll('\n', '. ');
  return `The config could not be put in force: ${told.replace(/\.$/, '')}.`;
}

function sentence(issues: readonly IssueReport[]): string {
  const errors = issues.filter(({ severity }) => severity === 'error').length;
  return `The config has ${errors} ${errors === 1 ? 'error' : 'errors'}; nothing has changed.`;
}

/** Of an If-Match (RFC 9110 §13.1.1): its one tag, or `*`; a weak one matches nothing. Undefined: it is none. */
function matchOf(text: string | undefined): string | null | undefined {
  if (text === undefined) return null;
  const [, any, weak, tag] = /^\s*(?:(\*)|(W\/)?"([^"]*)")\s*$/.exec(text) ?? [];
  return any ?? (weak === undefined ? tag : '');
}
