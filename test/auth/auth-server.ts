import { type Gate, type HttpOrigin, httpOrigin } from '../../src/testkit/index.ts';

export interface Asked {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly form: URLSearchParams;
}

export type Say = (token: string) => object | string;

/** An introspection endpoint that does as it is told. */
export interface AuthServer {
  readonly origin: HttpOrigin;
  readonly asked: Asked[];
  /** What it says of a token; a string goes out as it is. */
  say: Say;
  status: number;
  type: string;
  /** Answers wait for it. */
  gate: Gate | null;
}

export async function authServer(port = 0): Promise<AuthServer> {
  const asked: Asked[] = [];
  const server: AuthServer = {
    asked,
    say: () => ({ active: true, sub: 'alice', scope: 'orders:read' }),
    status: 200,
    type: 'application/json',
    gate: null,
    origin: await httpOrigin(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      asked.push({ path: request.url ?? '', headers: request.headers, form });
      await server.gate?.opened;
      const said = server.say(form.get('token') ?? '');
      response.writeHead(server.status, { 'content-type': server.type });
      response.end(typeof said === 'string' ? said : JSON.stringify(said));
    }, port),
  };
  return server;
}
