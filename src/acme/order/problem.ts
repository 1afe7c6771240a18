import type { WholeAnswer } from '../../util/whole-answer.ts';
import { AcmeError } from '../contract.ts';
import { retryAfterOf } from './transport.ts';

const PREFIX = 'urn:ietf:params:acme:error:';

/** A problem document (RFC 8555 §6.7), as far as it is one. */
export interface Problem {
  readonly type?: unknown;
  readonly detail?: unknown;
  readonly subproblems?: unknown;
}

/** An answer that is no success, as an error in words. */
export function refusal(what: string, answer: WholeAnswer, wall: number): AcmeError {
  const problem = problemOf(answer);
  const why = problem === null ? `status ${answer.status}` : wordsOf(problem);
  return new AcmeError(`${what}: ${why}`, {
    retryAfter: retryAfterOf(answer, wall),
    type: problem === null ? null : kindOf(problem),
  });
}

export function kindOf({ type }: Problem): string | null {
  return typeof type === 'string' && type.startsWith(PREFIX) ? type.slice(PREFIX.length) : null;
}

/** `unauthorized: The key … is wrong`; what stands below it, where there is anything (RFC 8555 §6.7.1). */
export function wordsOf(problem: Problem): string {
  const own = [kindOf(problem), problem.detail].filter((part) => typeof part === 'string').join(': ');
  const below = Array.isArray(problem.subproblems) ? problem.subproblems.filter(isObject).map(wordsOf) : [];
  return [own === '' ? 'it does not say why' : own, ...below].join('; ');
}

function problemOf({ headers, text }: WholeAnswer): Problem | null {
  if (!/^application\/(?:problem\+)?json\b/.test(headers['content-type'] ?? '')) return null;
  const value = readObject(text);
  return value !== null && kindOf(value) !== null ? value : null;
}

/** A JSON object; null where it is none. */
export function readObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
