import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { certificates } from './certificates.ts';

/** As the API tells of a slice, as far as it is read; `version` is set by the server. */
export interface EndpointSlice {
  metadata: { name: string; resourceVersion?: string };
  addressType: string;
  ports: object[] | null;
  endpoints: object[] | null;
}

/** An answer in place of the server's own. */
export type ApiAnswer = (response: ServerResponse, request: IncomingMessage) => void;

export interface AskedApi {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly authorization: string | undefined;
}

/** Lists and watches the EndpointSlices of one namespace over TLS, as the API server of Kubernetes does. */
export class KubernetesApi {
  readonly url: string;
  /** Whom to trust, PEM. */
  readonly ca: string;
  /** All that was asked, in turn. */
  readonly asked: AskedApi[] = [];
  /** What the next requests get, in turn, in place of what the server would say itself. */
  readonly answers: ApiAnswer[] = [];
  /** What every request gets meanwhile. */
  always: ApiAnswer | null = null;
  /** Null: no token is asked for. */
  token: string | null = null;
  private readonly slices = new Map<string, EndpointSlice>();
  private readonly history: { version: number; line: string }[] = [];
  private readonly watches = new Set<ServerResponse>();
  private version = 100;
  /** What changed up to here can't be watched any more. */
  private forgotten = 0;
  private readonly end: () => Promise<void>;

  constructor(url: string, ca: string, end: () => Promise<void>) {
    this.url = url;
    this.ca = ca;
    this.end = end;
  }

  get watching(): number {
    return this.watches.size;
  }

  put(slice: EndpointSlice): void {
    const type = this.slices.has(slice.metadata.name) ? 'MODIFIED' : 'ADDED';
    this.slices.set(slice.metadata.name, slice);
    this.tell(type, slice);
  }

  remove(name: string): void {
    const slice = this.slices.get(name)!;
    this.slices.delete(name);
    this.tell('DELETED', slice);
  }

  /** Says up to where it has told. */
  bookmark(): void {
    this.version++;
    this.say(this.event('BOOKMARK', { metadata: {} }));
  }

  /** All watches hear this text. */
  say(text: string | Buffer): void {
    for (const watch of this.watches) watch.write(text);
  }

  /** Ends all watches: as their time is over, or as if the server had died. */
  cut(how: 'end' | 'destroy' = 'end'): void {
    for (const watch of [...this.watches]) watch[how]();
  }

  /** Nothing that was before now can be watched from. */
  forget(): void {
    this.version += 10;
    this.forgotten = this.version;
  }

  /** As when etcd was restored: all versions from now on are older than those that were told. */
  restore(): void {
    this.version = 1;
    this.history.length = 0;
  }

  close(): Promise<void> {
    return this.end();
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url!, this.url);
    const query = Object.fromEntries(searchParams);
    this.asked.push({ path: pathname, query, authorization: request.headers.authorization });
    const scripted = this.answers.shift() ?? this.always;
    if (scripted !== null) return scripted(response, request);
    if (this.token !== null && request.headers.authorization !== `Bearer ${this.token}`)
      return refuse(401, 'Unauthorized')(response);
    if (query.watch === 'true') this.watch(Number(query.resourceVersion), response);
    else this.list(Number(query.resourceVersion ?? 0), response);
  }

  private list(least: number, response: ServerResponse): void {
    if (least > this.version)
      return refuse(504, `Timeout: Too large resource version: ${least}, current: ${this.version}`)(response);
    const metadata = { resourceVersion: String(this.version) };
    response.end(JSON.stringify({ kind: 'EndpointSliceList', metadata, items: [...this.slices.values()] }));
  }

  private watch(version: number, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    if (version < this.forgotten) {
      const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
      return void response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
    }
    for (const missed of this.history) if (missed.version > version) response.write(missed.line);
    this.watches.add(response);
    response.on('close', () => this.watches.delete(response));
  }

  private tell(type: string, slice: EndpointSlice): void {
    this.version++;
    const line = this.event(type, slice);
    this.history.push({ version: this.version, line });
    this.say(line);
  }

  private event(type: string, object: { metadata: object }): string {
    const metadata = { ...object.metadata, resourceVersion: String(this.version) };
    return `${JSON.stringify({ type, object: { ...object, metadata } })}\n`;
  }
}

/** A refusal as the API words it. */
export function refuse(code: number, message: string): (response: ServerResponse) => void {
  return (response) =>
    void response
      .writeHead(code, { 'content-type': 'application/json' })
      .end(JSON.stringify({ kind: 'Status', status: 'Failure', code, message }));
}

export async function kubernetesApi(): Promise<KubernetesApi> {
  const authority = await certificates();
  const server = createServer(await authority.leaf(['127.0.0.1', 'kubernetes.default.svc']));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const end = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const api = new KubernetesApi(url, authority.ca, end);
  server.on('request', (request, response) => api.answer(request, response));
  return api;
}

/** Endpoints on one TCP port, each ready unless it says otherwise. */
export function endpointSlice(
  name: string,
  port: number | object[],
  ...endpoints: (string | object)[]
): EndpointSlice {
  return {
    metadata: { name },
    addressType: 'IPv4',
    ports: typeof port === 'number' ? [{ name: 'http', protocol: 'TCP', port }] : port,
    endpoints: endpoints.map((endpoint) =>
      typeof endpoint === 'string'
        ? { addresses: [endpoint], conditions: { ready: true, serving: true, terminating: false } }
        : endpoint,
    ),
  };
}
