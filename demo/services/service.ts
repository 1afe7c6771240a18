/** What the three services share: JSON over node:http, routes by pattern, one pool of connections to PostgreSQL. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';

export interface Request {
  params: Record<string, string>;
  query: URLSearchParams;
  /** The JSON of the body; undefined where there is none. */
  body: unknown;
}

export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  body: unknown;
}

export type Handler = (request: Request, db: pg.Pool) => Promise<Reply>;

/** Ends a request with a problem document. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

interface Route {
  method: string;
  path: RegExp;
  handler: Handler;
}

const largestBody = 100_000;

/**
 * Serves routes such as `GET /products/{sku}` on PORT (a free one if it isn't set) with the database of DATABASE_URL,
 * and prints where it listens. Answers name the service in `x-service`.
 */
export function serve(name: string, handlers: Record<string, Handler>): void {
  const db = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 6 });
  db.on('error', (error) => console.error(error.message));
  const routes = Object.entries({ 'GET /healthz': health, ...handlers }).map(compile);
  const server = createServer((request, response) => {
    answer(routes, request, db)
      .catch(problem)
      .then((reply) => send(request, response, name, reply));
  });
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
    console.log(`${name} listens on ${(server.address() as AddressInfo).port}`);
  });
  process.once('SIGTERM', () => {
    server.close(() => db.end());
    server.closeIdleConnections();
  });
}

const health: Handler = async (_request, db) => {
  await db.query('select 1');
  return { body: { status: 'ok' } };
};

function compile([pattern, handler]: [string, Handler]): Route {
  const [method = '', path = ''] = pattern.split(' ');
  return { method, path: new RegExp(`^${path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`), handler };
}

async function answer(routes: Route[], request: IncomingMessage, db: pg.Pool): Promise<Reply> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://service');
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const fitting = routes.filter(({ path }) => path.test(pathname));
  const route = fitting.find((one) => one.method === method);
  if (route) {
    const params = route.path.exec(pathname)?.groups ?? {};
    return route.handler({ params: decoded(params), query: searchParams, body: await readJson(request) }, db);
  }
  if (fitting.length === 0) throw new Refusal(404, `there is nothing at ${pathname}`);
  const allow = fitting.map((one) => one.method).join(', ');
  throw new Refusal(405, `${pathname} takes ${allow}`, { allow });
}

function decoded(params: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decodeURIComponent(value)]));
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > largestBody) throw new Refusal(413, `a body has at most ${largestBody} bytes`);
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new Refusal(400, 'the body is not JSON');
  }
}

function problem(error: unknown): Reply {
  const status = error instanceof Refusal ? error.status : error instanceof URIError ? 400 : 500;
  const detail = error instanceof Error ? error.message : String(error);
  if (status === 500) console.error(detail);
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...(error instanceof Refusal ? error.headers : {}),
    },
    body: { status, detail: status === 500 ? 'something went wrong here' : detail },
  };
}

function send(request: IncomingMessage, response: ServerResponse, name: string, reply: Reply): void {
  const body = Buffer.from(`${JSON.stringify(reply.body)}\n`);
  response.writeHead(reply.status ?? 200, {
    'content-type': 'application/json',
    'content-length': body.length,
    'x-service': name,
    ...reply.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** A page number from the query: 1 where it isn't given. */
export function pageOf(query: URLSearchParams): number {
  const page = Number(query.get('page') ?? 1);
  if (!Number.isInteger(page) || page < 1) throw new Refusal(400, 'page is a whole number from 1 on');
  return page;
}
