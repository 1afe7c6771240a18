import { EvaluationFailure, type TextTemplate, toJson, type Variables } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import { type Headers, isHeaderValue } from '../http/headers.ts';
import { restOf } from '../pipeline/index.ts';
import type { Question } from './asking.ts';
import type { RequestPrograms } from './programs.ts';
import { type Trouble, trouble } from './trouble.ts';
import { writeJson } from './write-json.ts';

/** Makes the request of a call. What can't be evaluated, or could not be sent, is a trouble, and nothing is sent. */
export function questionOf(
  programs: RequestPrograms,
  method: string,
  exchange: Exchange,
  vars: Variables,
  carried: Headers,
): Question | Trouble {
  let target: string;
  try {
    target = targetOf(programs, exchange, vars);
  } catch (error) {
    if (isBadPath(error)) return trouble('expression', error.message, { blame: 'TG_REQUEST_VALUE' });
    return notSent(error, exchange);
  }
  try {
    const headers = headersOf(programs, vars, carried);
    const body = bodyOf(programs, vars);
    if (body !== null && !programs.headers.some(({ name }) => name.toLowerCase() === 'content-type'))
      headers.push('content-type', 'application/json');
    return { method, target, headers, body, vars };
  } catch (error) {
    return notSent(error, exchange);
  }
}

function targetOf({ path: template }: RequestPrograms, exchange: Exchange, vars: Variables): string {
  if (template === null) return exchange.path;
  const { path, query } = template.render(vars);
  const whole = template.endsWithRest ? takeOver(path, exchange) : path;
  return query === null ? whole : `${whole}?${query}`;
}

function takeOver(before: string, exchange: Exchange): string {
  const whole = (before.endsWith('/') ? before.slice(0, -1) : before) + restOf(exchange);
  return whole === '' ? '/' : whole;
}

function headersOf(programs: RequestPrograms, vars: Variables, carried: Headers): Headers {
  const headers = carried.slice();
  for (const { name, templates } of programs.headers) {
    for (const template of templates) {
      for (const value of linesOf(template, vars)) {
        if (value === '') continue;
        if (!isHeaderValue(value)) throw new EvaluationFailure('nul', `"${name}" would not be a header`);
        headers.push(name, value);
      }
    }
  }
  return headers;
}

/** What the client did not send leaves a header out, as on a route; what another call did not give is a failure. */
function linesOf(template: TextTemplate, vars: Variables): readonly string[] {
  try {
    return template.renderAll(vars);
  } catch (error) {
    if (isMissing(error) && [...template.mentions].every((path) => OF_THE_CLIENT.test(path))) return [];
    throw error;
  }
}

/** Its body apart: a client that sent none where one is wanted is told so. */
const OF_THE_CLIENT = /^(?:request(?!\.body\b)|params|auth)\b/;

function isMissing(error: unknown): boolean {
  return error instanceof EvaluationFailure && (error.kind === 'absent' || error.kind === 'null');
}

function bodyOf({ body }: RequestPrograms, vars: Variables): Buffer | null {
  if (body === null) return null;
  const value = body.evaluate(vars);
  return Buffer.concat(
    writeJson(value).map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)),
  );
}

/** A segment that the request made empty, `.` or `..`. */
function isBadPath(error: unknown): error is EvaluationFailure {
  return error instanceof EvaluationFailure && error.kind === 'value' && error.origin === 'request';
}

/** Why what a call needs can't be told; a client that sent no body where one is wanted is told so. */
export function notSent(error: unknown, exchange: Exchange): Trouble {
  if (!(error instanceof EvaluationFailure)) throw error;
  const wantsBody = error.kind === 'absent' && error.message === NO_BODY && exchange.body === null;
  return trouble('expression', error.message, wantsBody ? { blame: 'TG_REQUEST_BODY_JSON' } : {});
}

/** As the expressions say it where a request has no content. */
const NO_BODY = 'request has no "body"';

/** An item as a text by which equal ones are found: equal values give equal texts. */
export function identityOf(value: Parameters<typeof toJson>[0]): string {
  return toJson(sorted(value));
}

function sorted(value: Parameters<typeof toJson>[0]): Parameters<typeof toJson>[0] {
  if (Array.isArray(value)) return value.map(sorted);
  if (!(value instanceof Map)) return value;
  const members = [...value].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return new Map(members.map(([key, member]) => [key, sorted(member)]));
}
