import { describe, expect, test } from 'vitest';
import { entries, type ShortMatch, type ShortRequest, subject } from './fixtures.ts';
import { compileRouter } from './router.ts';

type Routes = Record<string, ShortMatch | string>;

const outcome = (routes: Routes, line: string, request?: ShortRequest) =>
  compileRouter(entries(routes)).match(subject(line, request));

function status(routes: Routes, line: string, request?: ShortRequest): number | string {
  const found = outcome(routes, line, request);
  return 'status' in found ? found.status : found.route;
}

describe('no route', () => {
  test('is 404 where no path fits', () => {
    expect(outcome({ a: { path: '/a', method: 'GET' } }, '/b')).toEqual({ status: 404 });
    expect(outcome({}, '/')).toEqual({ status: 404 });
  });

  test('is 404 where the host or listener does not fit', () => {
    expect(status({ a: { path: '/a', host: 'other.example', method: 'GET' } }, 'POST /a')).toBe(404);
    expect(status({ a: { path: '/a', listener: 'other', method: 'GET' } }, 'POST /a')).toBe(404);
  });

  test('is 405 where the method alone differs', () => {
    expect(outcome({ a: { path: '/a', method: 'POST' } }, 'GET /a')).toEqual({
      status: 405,
      allow: ['POST'],
    });
  });

  test('names HEAD beside GET in Allow', () => {
    expect(outcome({ a: { path: '/a', method: 'GET' } }, 'POST /a')).toEqual({
      status: 405,
      allow: ['GET', 'HEAD'],
    });
  });

  test('allows what all routes that fit would take, each once', () => {
    const routes = {
      a: { path: '/a', method: ['POST', 'PUT'] },
      b: { path: '/{x}', method: ['PUT', 'GET'] },
      c: { method: 'DELETE' },
      d: { path: '/d', method: 'PATCH' },
    };
    expect(outcome(routes, 'OPTIONS /a')).toEqual({
      status: 405,
      allow: ['POST', 'PUT', 'GET', 'HEAD', 'DELETE'],
    });
  });

  test('is 404 where a route takes the method but asks for a header that is missing', () => {
    const routes = {
      post: { path: '/a', method: 'POST' },
      beta: { path: '/a', method: 'GET', headers: { a: '1' } },
    };
    expect(status(routes, 'GET /a')).toBe(404);
    expect(status(routes, 'DELETE /a')).toBe(405);
    expect(
      status({ post: { path: '/a', method: 'POST' }, beta: { path: '/*', headers: { a: '1' } } }, 'GET /a'),
    ).toBe(404);
  });

  test('is 404 where method and header differ both', () => {
    expect(status({ a: { path: '/a', method: 'POST', headers: { a: '1' } } }, 'GET /a')).toBe(404);
    expect(status({ a: { path: '/a', method: 'POST', ip: '10.0.0.0/8' } }, 'GET /a')).toBe(404);
    expect(status({ a: { path: '/a', method: 'POST', when: () => false } }, 'GET /a')).toBe(404);
  });

  test('does not allow methods of routes whose other conditions fail', () => {
    const routes = {
      post: { path: '/a', method: 'POST' },
      admin: { path: '/a', method: 'PUT', ip: '10.0.0.0/8' },
    };
    expect(outcome(routes, 'GET /a')).toEqual({ status: 405, allow: ['POST'] });
    expect(outcome(routes, 'GET /a', { ip: '10.0.0.1' })).toEqual({ status: 405, allow: ['PUT', 'POST'] });
  });

  test('is 405 across hosts as well', () => {
    const routes = {
      a: { path: '/a', host: 'example.com', method: 'POST' },
      b: { path: '/a', method: 'PUT' },
    };
    expect(outcome(routes, 'GET /a')).toEqual({ status: 405, allow: ['POST', 'PUT'] });
  });
});

describe('%2F inside a segment', () => {
  test('stays in its segment where nothing else fits the decoded path', () => {
    expect(outcome({ project: '/projects/{id}' }, '/projects/group%2Fname')).toMatchObject({
      params: { id: 'group/name' },
    });
    expect(status({ files: '/files/*' }, '/files/a%2Fb')).toBe('files');
    expect(status({ files: '/files/*' }, '/files/a%3Bb')).toBe('files');
    expect(status({ both: { path: ['/p/{a}', '/p/{a}/{b}'] } }, '/p/1%2F2')).toBe('both');
    expect(status({ regex: '~/a%2Fb' }, '/a%2fb')).toBe('regex');
  });

  test.each<[why: string, routes: Routes, line: string]>([
    ['another route takes the decoded path', { all: '/*', admin: '/admin/{x}' }, '/admin%2Fusers'],
    ['another route takes it further right', { id: '/p/{id}', sub: '/p/{id}/sub' }, '/p/1%2Fsub'],
    ['a less exact route takes it', { id: '/p/{id}', all: '/*' }, '/p/1%2F2'],
    ['a route without a path takes it', { id: '/p/{id}', all: {} }, '/p/1%2F2'],
    ['a whole-path pattern takes it', { id: '/p/{id}', all: '~/p/.*/.*' }, '/p/1%2F2'],
    [
      'another route refuses it by its method',
      { id: '/p/{id}', sub: { path: '/p/{id}/sub', method: 'GET' } },
      'PUT /p/1%2Fsub',
    ],
    [
      'another route refuses it by its addresses',
      { id: '/p/{id}', sub: { path: '/p/{id}/sub', ip: '10.0.0.0/8' } },
      '/p/1%2Fsub',
    ],
    ['it makes an empty segment', { all: '/*' }, '/a%2F%2Fb'],
    ['it makes an empty segment beside a slash', { all: '/*' }, '/a/%2Fb'],
    ['it makes an empty segment before a slash', { all: '/*' }, '/a%2F/b'],
    ['it makes an empty segment at the end', { all: '/*' }, '/a%2F'],
    ['it makes an empty segment at the start', { all: '/*' }, '/%2Fa'],
    ['it makes a dot segment', { all: '/*' }, '/a%2F.%2Fb'],
    ['it makes dots that go up', { all: '/*' }, '/a%2F..%2Fb'],
    ['it makes dots that go up from encoded dots', { all: '/*' }, '/a%2f%2e%2e%2fb'],
    ['it makes dots at the end', { all: '/*' }, '/a%2F..'],
    ['it makes dots at the start of a segment', { all: '/*' }, '/a/..%2Fb'],
    ['with parameters taken away another route takes it', { all: '/*', admin: '/admin/x' }, '/admin;v%2Fx'],
    [
      'with parameters taken away before another route takes it',
      { all: '/*', admin: '/admin' },
      '/admin;v%2Fx',
    ],
  ])('is 400 where %s', (_, routes, line) => {
    expect(status(routes, line)).toBe(400);
  });

  test('is no matter for a route that is conditional on something else and fits both paths', () => {
    expect(status({ id: '/p/{id}', beta: { path: '/*', headers: { a: '1' } } }, '/p/1%2F2')).toBe('id');
  });

  test('is 404 or 405 where no route takes the path as it came', () => {
    expect(status({ a: '/a/b' }, '/a%2Fb')).toBe(404);
    expect(status({ a: { path: '/{x}', method: 'PUT' } }, '/a%2Fb')).toBe(405);
  });

  test('encoded twice is text', () => {
    expect(outcome({ all: '/{x}', sub: '/{x}/{y}' }, '/a%252Fb')).toMatchObject({ params: { x: 'a%2Fb' } });
  });
});

describe('parameters of a segment', () => {
  test('count as part of it', () => {
    expect(status({ a: '/a' }, '/a;v=1')).toBe(404);
    expect(status({ a: '/a;v=1' }, '/a;v=1')).toBe('a');
    expect(outcome({ a: '/{x}' }, '/a;v=1')).toMatchObject({ params: { x: 'a;v=1' } });
    expect(status({ app: '/app/*' }, '/app/page;jsessionid=1')).toBe('app');
    expect(status({ app: '/app/*' }, '/app/;jsessionid=1')).toBe('app');
    expect(status({ all: '/*' }, '/a/;x/b')).toBe('all');
  });

  test.each<[why: string, routes: Routes, line: string]>([
    ['another route takes the path without them', { all: '/*', admin: '/admin/*' }, '/admin;a/users'],
    ['another route takes the path without them at the end', { all: '/*', admin: '/admin' }, '/admin;a'],
    ['another route takes the path without what they leave empty', { all: '/*', admin: '/a/b' }, '/a/;x/b'],
    ['they hide dots', { all: '/*' }, '/a/..;/b'],
    ['they hide dots with a value', { all: '/*' }, '/a/..;x=1/b'],
    ['they hide dots at the end', { all: '/*' }, '/a/..;'],
    ['they hide a single dot', { all: '/*' }, '/a/.;x/b'],
    ['they hide encoded dots', { all: '/*' }, '/a/%2e%2e;/b'],
  ])('are 400 where %s', (_, routes, line) => {
    expect(status(routes, line)).toBe(400);
  });

  test('are 400 where a guard would refuse the path without them, and nothing else take it', () => {
    const routes = { any: '/{x~admin;.*}/{y}', admin: { path: '/admin/{x}', ip: '10.0.0.0/8' } };
    expect(status(routes, '/admin;a/users')).toBe(400);
  });

  test('are no matter where a guard that fails for the path without them leaves it to the same route', () => {
    const routes = { all: '/{x}/{y}', admin: { path: '/admin/{x}', ip: '10.0.0.0/8' } };
    expect(status(routes, '/admin/users')).toBe('all');
    expect(status(routes, '/admin;a/users')).toBe('all');
    expect(status(routes, '/admin;a/users', { ip: '10.0.0.1' })).toBe(400);
  });

  test('encoded semicolons are text', () => {
    expect(status({ all: '/*', admin: '/admin' }, '/admin%3Ba')).toBe('all');
  });
});

describe('a path that a service might read otherwise is 400', () => {
  const routes = { admin: '/admin/*', public: '/public/*', all: '/*' };
  test.each([
    ['a decoded slash that leads to another route', '/admin%2Fx'],
    ['a decoded slash before a dot segment', '/public/a%2F..%2Fb'],
    ['a decoded slash that makes an empty segment', '/public/a%2F%2Fb'],
    ['a decoded slash at the very end', '/public/a%2F'],
    ['a decoded slash after a slash', '/public/%2Fb'],
    ['parameters on a dot segment', '/public/..;/admin/x'],
    ['encoded parameters on a dot segment', '/public/..%3B/admin/x'],
    ['parameters on a single dot', '/public/.;x=1/y'],
    ['parameters that hide another route', '/admin;x/y'],
    ['both at once', '/public/..%3Bx%2Fadmin'],
  ])('%s', (_, path) => {
    expect(status(routes, path)).toBe(400);
  });

  test.each([
    ['a decoded slash under the same route', '/public/a%2Fb', 'public'],
    ['parameters under the same route', '/public/a;v=1/b', 'public'],
    ['encoded parameters under the same route', '/public/a%3Bv=1/b', 'public'],
    ['parameters alone in a segment', '/public/;jsessionid=1', 'public'],
  ])('but not %s', (_, path, route) => {
    expect(status(routes, path)).toBe(route);
  });
});
