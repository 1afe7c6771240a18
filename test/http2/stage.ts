import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  connect,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import { within } from '../../src/testkit/index.ts';

/** What came back on one stream. */
export interface Answered {
  status: number;
  /** `[name, value, …]`, as they came. */
  fields: string[];
  body: string;
  trailers: Record<string, unknown> | null;
  interim: Record<string, unknown>[];
  /** The end of the content came. */
  ended: boolean;
  /** How the stream ended: 0 is well. */
  code: number;
}

/** A client's connection over HTTP/2. */
export class Http2Client {
  readonly session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.session = session;
    session.on('error', () => {});
  }

  static async open(
    url: string,
    options: ClientSessionOptions | SecureClientSessionOptions = {},
  ): Promise<Http2Client> {
    const client = new Http2Client(connect(url, options));
    await within(
      new Promise((resolve, reject) => {
        client.session.once('connect', resolve);
        client.session.once('error', reject);
      }),
      () => 'no connection',
    );
    return client;
  }

  /** Begins a request; its content is the caller's to send. */
  begin(fields: OutgoingHttpHeaders | string[], endStream = false): ClientHttp2Stream {
    const stream = this.session.request(fields as OutgoingHttpHeaders, { endStream });
    stream.on('error', () => {});
    return stream;
  }

  ask(fields: OutgoingHttpHeaders | string[], content: string | Buffer | null = null): Promise<Answered> {
    const stream = this.begin(fields, content === null);
    if (content !== null) stream.end(content);
    return answered(stream);
  }

  get(path: string, more: OutgoingHttpHeaders = {}): Promise<Answered> {
    return this.ask({ ':path': path, ...more });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session.destroy();
  }
}

/**
 * Everything that comes back, until the stream has closed; or until the content has ended, for node:http2 keeps a
 * stream on which it could not send all.
 */
export function answered(stream: ClientHttp2Stream, last: 'close' | 'end' = 'close'): Promise<Answered> {
  const got: Answered = {
    status: 0,
    fields: [],
    body: '',
    trailers: null,
    interim: [],
    ended: false,
    code: -1,
  };
  stream.on('headers', (fields) => got.interim.push(fields));
  stream.on('response', (fields, _flags, ...more) => {
    got.status = fields[':status']!;
    got.fields = more[0] as unknown as string[];
  });
  stream.on('trailers', (fields) => {
    got.trailers = { ...fields };
  });
  stream.on('end', () => {
    got.ended = true;
  });
  stream.on('error', () => {});
  stream.setEncoding('latin1');
  stream.on('data', (chunk: string) => {
    got.body += chunk;
  });
  return within(
    new Promise((resolve) => {
      stream.on(last, () => {
        got.code = stream.rstCode ?? 0;
        resolve(got);
      });
    }),
    () => `the stream is still open: ${JSON.stringify(got).slice(0, 300)}`,
  );
}

/** The values of a field. */
export function values({ fields }: Answered, name: string): string[] {
  return fields.filter((_, i) => i % 2 === 1 && fields[i - 1] === name);
}
