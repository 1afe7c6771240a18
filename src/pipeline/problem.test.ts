import { describe, expect, test } from 'vitest';
import { ERRORS, type ErrorCode, Failure } from '../http/errors.ts';
import { getHeader } from '../http/headers.ts';
import { methodNotAllowed, problem } from './problem.ts';

const documentOf = (body: unknown) => JSON.parse(String(body)) as Record<string, unknown>;

describe('a problem document', () => {
  test.each(Object.keys(ERRORS) as ErrorCode[])(
    'of %s has type, title, status, detail, instance and code',
    (code) => {
      const answer = problem(new Failure(code), 'id-1');
      const { status, title, detail } = ERRORS[code];
      expect(answer.status).toBe(status);
      expect(documentOf(answer.body)).toEqual({
        type: `urn:tidegate:error:${code}`,
        title,
        status,
        detail,
        instance: 'id-1',
        code,
      });
    },
  );

  test('is application/problem+json, not to be stored, not to be guessed at', () => {
    const { headers } = problem(new Failure('TG_ROUTE_NOT_FOUND'), 'x');
    expect(getHeader(headers, 'content-type')).toBe('application/problem+json');
    expect(getHeader(headers, 'cache-control')).toBe('no-store');
    expect(getHeader(headers, 'x-content-type-options')).toBe('nosniff');
  });

  test('never leaks the cause, which names addresses', () => {
    const answer = problem(new Failure('TG_UPSTREAM_REFUSED', 'connect ECONNREFUSED 10.1.2.3:4001'), 'x');
    expect(JSON.stringify([answer.headers, String(answer.body)])).not.toContain('10.1.2.3');
  });

  test('no sentence of the table names an address', () => {
    for (const { title, detail } of Object.values(ERRORS))
      expect(title + detail).not.toMatch(/\d+\.\d+\.\d+\.\d+|localhost|:\d{2,}/);
  });

  test('remembers why the gateway answered', () => {
    const failure = new Failure('TG_DRAINING');
    expect(problem(failure, 'x').failure).toBe(failure);
  });

  test('says Retry-After in whole seconds, never sooner than meant, only where it is known', () => {
    const header = (retryAfter?: number) =>
      getHeader(problem(new Failure('TG_UPSTREAM_UNAVAILABLE', '', retryAfter), 'x').headers, 'retry-after');
    expect(header(2.1)).toBe('3');
    expect(header(0)).toBe('0');
    expect(header(-1)).toBe('0');
    expect(header()).toBeUndefined();
  });

  test('carries extension members', () => {
    const answer = problem(new Failure('TG_UPSTREAM_RESET'), 'x', {
      call: 'orders',
      kind: 'reset',
      nothing: undefined,
    });
    const document = documentOf(answer.body);
    expect(document).toMatchObject({ call: 'orders', kind: 'reset', status: 502 });
    expect(document).not.toHaveProperty('nothing');
  });

  test('lets no extension member speak in the place of a standard one', () => {
    const answer = problem(new Failure('TG_UPSTREAM_RESET'), 'x', {
      status: 200,
      detail: 'at 10.0.0.1',
      code: 'NO',
    });
    expect(documentOf(answer.body)).toMatchObject({ status: 502, code: 'TG_UPSTREAM_RESET' });
    expect(String(answer.body)).not.toContain('10.0.0.1');
  });

  test('injection by a request id: quotes, backslashes and braces stay inside its text', () => {
    const id = '"},"status":200,"x\\":{"';
    const answer = problem(new Failure('TG_ROUTE_NOT_FOUND'), id);
    expect(documentOf(answer.body)).toMatchObject({ instance: id, status: 404 });
  });

  test('is made anew for each request: a transform of one changes no other', () => {
    const failure = new Failure('TG_ROUTE_NOT_FOUND');
    problem(failure, 'a').headers.push('x-a', '1');
    expect(getHeader(problem(failure, 'b').headers, 'x-a')).toBeUndefined();
  });
});

test('a 405 names in Allow what is allowed', () => {
  const answer = methodNotAllowed(['GET', 'HEAD', 'POST'], 'x');
  expect(answer.status).toBe(405);
  expect(getHeader(answer.headers, 'allow')).toBe('GET, HEAD, POST');
  expect(answer.failure?.code).toBe('TG_ROUTE_METHOD');
});
