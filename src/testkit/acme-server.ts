// The library asks for this polyfill before it is loaded.
import 'reflect-metadata';

import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { request as askPlain } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from '@peculiar/x509';
import {
  calculateJwkThumbprint,
  type FlattenedJWS,
  flattenedVerify,
  importJWK,
  type JWK,
  type JWSHeaderParameters,
} from 'jose';
import { type Certificates, certificates, type Validity } from './certificates.ts';

/** What a client asks for, by the part of RFC 8555 that it belongs to. */
export type AcmeResource =
  | 'directory'
  | 'nonce'
  | 'account'
  | 'order'
  | 'authorization'
  | 'challenge'
  | 'state'
  | 'finalize'
  | 'certificate'
  | 'renewal';

/** What comes in place of an answer: a problem, nothing at all, or the end of the connection. */
export type AcmeFault =
  | { readonly status: number; readonly type: string; readonly detail?: string; readonly retryAfter?: string }
  | 'silence'
  | 'cut';

export interface AcmeServerOptions {
  /** Where a host is reached: the port of this machine that stands for its port 80 or 443. */
  reach: (host: string, challenge: 'http-01' | 'tls-alpn-01') => number;
  /** Of its certificates, as seen from when they are made. Default 90 days, from an hour before. */
  validity?: (wall: number) => Validity;
  wall?: () => number;
  /** Keys of accounts outside (base64url), by their id; without one here no account is made. */
  bindings?: Readonly<Record<string, string>>;
  /** Challenges that it offers. */
  offers?: readonly string[];
}

interface Order {
  readonly host: string;
  readonly account: string;
  readonly token: string;
  replaces: unknown;
  proof: 'pending' | 'processing' | 'valid' | 'invalid';
  error: object | null;
  status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';
  certificate: string | null;
}

interface Call {
  readonly resource: AcmeResource;
  readonly id: string;
  readonly payload: Record<string, unknown>;
  readonly account: string;
}

interface Reply {
  readonly status: number;
  readonly body: object | string;
  readonly headers?: Record<string, string>;
}

const DAY = 86_400_000;
const HOUR = 3_600_000;

/** A certificate authority that speaks ACME, asks hosts for their proof, and signs requests, on a free port. */
export class AcmeServer implements AsyncDisposable {
  /** Of the directory's TLS and of all certificates it gives, PEM. */
  readonly ca: string;
  /** Chains that it gave (PEM), by the order they were given in. */
  readonly issued: { host: string; chain: string; replaces: unknown }[] = [];
  /** Resources in the order they were asked for. */
  readonly asked: AcmeResource[] = [];
  readonly accounts = new Map<string, { jwk: JWK; contact: unknown; agreed: unknown }>();
  /** When it would have certificates renewed; null: it does not say. */
  advice: { start: number; end: number; retryAfter: number } | null = null;
  /** Nonces that it turns down before it takes one. */
  badNonces = 0;
  /** Looks at an order that it is still at work on. */
  worksFor = 0;
  /** It has all proofs of an earlier order. */
  remembers = false;
  /** Orders come to nothing after all, by this problem. */
  spoils: object | null = null;
  /** Called before it looks at a proof. */
  beforeLook: () => Promise<void> = async () => {};
  private readonly server: Server;
  private readonly options: AcmeServerOptions;
  private readonly issuer: Certificates;
  private readonly nonces = new Set<string>();
  private readonly orders = new Map<string, Order>();
  private readonly faults = new Map<AcmeResource, AcmeFault[]>();

  static async start(options: AcmeServerOptions): Promise<AcmeServer> {
    const root = await certificates();
    const wall = options.wall ?? Date.now;
    const issuer = await root.intermediate({ from: wall() - 365 * DAY, until: wall() + 3650 * DAY });
    const { cert, key } = await root.leaf(['localhost']);
    const started = new AcmeServer(createServer({ cert, key }), options, root.ca, issuer);
    await new Promise<void>((resolve) => started.server.listen(0, '127.0.0.1', resolve));
    return started;
  }

  private constructor(server: Server, options: AcmeServerOptions, ca: string, issuer: Certificates) {
    this.server = server;
    this.options = options;
    this.issuer = issuer;
    this.ca = ca;
    server.on('request', async (request, response) => {
      let text = '';
      for await (const chunk of request.setEncoding('utf8')) text += chunk;
      const [, resource = '', id = ''] = (request.url ?? '').split('/');
      this.asked.push(resource as AcmeResource);
      const fault = this.faults.get(resource as AcmeResource)?.shift();
      if (fault === 'silence') return;
      if (fault === 'cut') return void request.socket.destroy();
      const reply =
        fault === undefined ? await this.answer(request.method!, resource, id, text) : saidOf(fault);
      const body = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
      response.writeHead(reply.status, {
        'content-type': reply.status < 400 ? 'application/json' : 'application/problem+json',
        'replay-nonce': this.nonce(),
        ...reply.headers,
      });
      response.end(request.method === 'HEAD' ? undefined : body);
    });
  }

  get directory(): string {
    return `${this.base}/directory`;
  }

  /** The next questions for a resource come to nothing, in these ways. */
  fail(resource: AcmeResource, ...faults: AcmeFault[]): void {
    this.faults.set(resource, [...(this.faults.get(resource) ?? []), ...faults]);
  }

  /** Of all its orders, the newest last. */
  get tokens(): string[] {
    return [...this.orders.values()].map(({ token }) => token);
  }

  count(resource: AcmeResource): number {
    return this.asked.filter((one) => one === resource).length;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private get base(): string {
    return `https://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  private wall(): number {
    return (this.options.wall ?? Date.now)();
  }

  private nonce(): string {
    const nonce = randomBytes(12).toString('base64url');
    this.nonces.add(nonce);
    return nonce;
  }

  private async answer(method: string, resource: string, id: string, text: string): Promise<Reply> {
    if (resource === 'directory') return { status: 200, body: this.listed() };
    if (resource === 'nonce') return { status: 200, body: '' };
    if (resource === 'renewal') return this.renewal();
    try {
      if (method !== 'POST') throw problem(405, 'malformed', `${method} is not allowed`);
      return await this.signed(resource, id, JSON.parse(text) as FlattenedJWS);
    } catch (error) {
      return isReply(error) ? error : problem(400, 'malformed', (error as Error).message);
    }
  }

  private listed(): object {
    const { base } = this;
    return {
      newNonce: `${base}/nonce`,
      newAccount: `${base}/account`,
      newOrder: `${base}/order`,
      ...(this.advice === null ? {} : { renewalInfo: `${base}/renewal` }),
      meta: {
        termsOfService: 'https://ca.test/terms',
        ...(this.options.bindings === undefined ? {} : { externalAccountRequired: true }),
      },
    };
  }

  private renewal(): Reply {
    const { start, end, retryAfter } = this.advice!;
    const suggestedWindow = { start: new Date(start).toISOString(), end: new Date(end).toISOString() };
    return { status: 200, body: { suggestedWindow }, headers: { 'retry-after': String(retryAfter) } };
  }

  /** RFC 8555 §6.2 to §6.5. */
  private async signed(resource: string, id: string, jws: FlattenedJWS): Promise<Reply> {
    const header = JSON.parse(Buffer.from(jws.protected ?? '', 'base64url').toString()) as Header;
    if (!this.nonces.delete(header.nonce ?? '') || this.badNonces-- > 0)
      throw problem(400, 'badNonce', 'an unknown nonce');
    if (header.url !== `${this.base}/${resource}${id === '' ? '' : `/${id}`}`)
      throw problem(401, 'unauthorized', `the url ${header.url} is not the one that was asked`);
    const jwk = header.jwk ?? this.accounts.get(header.kid ?? '')?.jwk;
    if (jwk === undefined || (header.jwk !== undefined && resource !== 'account'))
      throw problem(400, 'accountDoesNotExist', 'there is no such account');
    const { payload } = await flattenedVerify(jws, await importJWK(jwk, header.alg));
    const said = payload.length === 0 ? {} : JSON.parse(Buffer.from(payload).toString());
    if (resource === 'account') return await this.account(jwk, said);
    return await this.take({ resource: resource as AcmeResource, id, payload: said, account: header.kid! });
  }

  private async account(jwk: JWK, said: Record<string, unknown>): Promise<Reply> {
    const url = `${this.base}/account/${await calculateJwkThumbprint(jwk)}`;
    const known = this.accounts.has(url);
    if (!known && this.options.bindings !== undefined) await this.bind(jwk, said.externalAccountBinding);
    if (!known) this.accounts.set(url, { jwk, contact: said.contact, agreed: said.termsOfServiceAgreed });
    return { status: known ? 200 : 201, body: { status: 'valid' }, headers: { location: url } };
  }

  /** RFC 8555 §7.3.4. */
  private async bind(jwk: JWK, binding: unknown): Promise<void> {
    if (binding === undefined) throw problem(403, 'externalAccountRequired', 'no binding');
    const jws = binding as FlattenedJWS;
    const header = JSON.parse(Buffer.from(jws.protected ?? '', 'base64url').toString()) as Header;
    const key = this.options.bindings?.[header.kid ?? ''];
    if (key === undefined || header.url !== `${this.base}/account`)
      throw problem(403, 'unauthorized', 'an unknown binding');
    const { payload } = await flattenedVerify(jws, Buffer.from(key, 'base64url'));
    const bound = JSON.parse(Buffer.from(payload).toString()) as JWK;
    if ((await calculateJwkThumbprint(bound)) !== (await calculateJwkThumbprint(jwk)))
      throw problem(403, 'unauthorized', 'the binding of another key');
  }

  private async take(call: Call): Promise<Reply> {
    if (call.resource === 'order') return this.open(call);
    const order = this.orders.get(call.id);
    if (order === undefined || order.account !== call.account)
      throw problem(404, 'malformed', 'no such order');
    if (call.resource === 'authorization') return { status: 200, body: this.authorization(call.id, order) };
    if (call.resource === 'challenge') return await this.challenge(call.id, order);
    if (call.resource === 'finalize') return await this.finalize(call, order);
    if (call.resource === 'state') return this.state(call.id, order);
    if (call.resource !== 'certificate' || order.certificate === null)
      throw problem(404, 'malformed', 'nothing');
    const headers = { 'content-type': 'application/pem-certificate-chain' };
    return { status: 200, body: order.certificate, headers };
  }

  private open({ payload, account }: Call): Reply {
    const [identifier] = payload.identifiers as { type: string; value: string }[];
    const id = randomBytes(8).toString('hex');
    const order: Order = {
      host: identifier!.value,
      account,
      token: randomBytes(16).toString('base64url'),
      replaces: payload.replaces ?? null,
      proof: this.remembers ? 'valid' : 'pending',
      error: null,
      status: this.remembers ? 'ready' : 'pending',
      certificate: null,
    };
    this.orders.set(id, order);
    return { status: 201, body: this.shown(id, order), headers: { location: `${this.base}/state/${id}` } };
  }

  private state(id: string, order: Order): Reply {
    if (order.status === 'processing' && this.worksFor-- <= 0) order.status = 'valid';
    return { status: 200, body: this.shown(id, order), headers: { 'retry-after': '1' } };
  }

  private shown(id: string, { status, host, certificate, error }: Order): object {
    return {
      status,
      identifiers: [{ type: 'dns', value: host }],
      authorizations: [`${this.base}/authorization/${id}`],
      finalize: `${this.base}/finalize/${id}`,
      ...(status === 'valid' && certificate !== null
        ? { certificate: `${this.base}/certificate/${id}` }
        : {}),
      ...(error === null ? {} : { error }),
    };
  }

  private authorization(id: string, { host, proof, token, error }: Order): object {
    const challenge = { url: `${this.base}/challenge/${id}`, token, status: proof };
    return {
      status: proof === 'processing' ? 'pending' : proof,
      identifier: { type: 'dns', value: host },
      challenges: (this.options.offers ?? ['dns-01', 'http-01', 'tls-alpn-01']).map((type) => ({
        type,
        ...challenge,
        ...(error === null ? {} : { error }),
      })),
    };
  }

  /** Looks at once, with whatever proof is there: what the host shows tells which it is. */
  private async challenge(id: string, order: Order): Promise<Reply> {
    const expected = `${order.token}.${await calculateJwkThumbprint(this.accounts.get(order.account)!.jwk)}`;
    await this.beforeLook();
    const http = await this.lookAtPort80(order, expected);
    const trouble = http === null ? null : ((await this.lookAtPort443(order, expected)) ?? null);
    order.proof = trouble === null ? 'valid' : 'invalid';
    order.status = trouble === null ? 'ready' : 'invalid';
    if (trouble !== null) order.error = { type: urn('unauthorized'), detail: `${http}; ${trouble}` };
    return {
      status: 200,
      body: { type: 'http-01', url: `${this.base}/challenge/${id}`, status: order.proof },
    };
  }

  /** RFC 8555 §8.3. Null: the proof is there. */
  private lookAtPort80({ host, token }: Order, expected: string): Promise<string | null> {
    return new Promise((resolve) => {
      const asked = askPlain({
        host: '127.0.0.1',
        port: this.options.reach(host, 'http-01'),
        path: `/.well-known/acme-challenge/${token}`,
        headers: { host },
        agent: false,
      });
      asked.on('error', (error) => resolve(error.message));
      asked.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => {
          if (response.statusCode === 200 && text.trimEnd() === expected) resolve(null);
          else resolve(`invalid response from http://${host}/${token}: ${response.statusCode}`);
        });
      });
      asked.end();
    });
  }

  /** RFC 8737 §3. Null: the proof is there. */
  private lookAtPort443({ host }: Order, expected: string): Promise<string | null> {
    const digest = createHash('sha256').update(expected).digest();
    return new Promise((resolve) => {
      const socket = connect({
        host: '127.0.0.1',
        port: this.options.reach(host, 'tls-alpn-01'),
        servername: host,
        ALPNProtocols: ['acme-tls/1'],
        rejectUnauthorized: false,
      });
      socket.on('error', (error) => resolve(error.message));
      socket.on('secureConnect', () => {
        const cert = socket.getPeerX509Certificate();
        const good =
          socket.alpnProtocol === 'acme-tls/1' &&
          cert?.subjectAltName === `DNS:${host}` &&
          cert.raw.includes(digest);
        socket.destroy();
        resolve(good ? null : 'no proof in the certificate');
      });
    });
  }

  private async finalize({ id, payload }: Call, order: Order): Promise<Reply> {
    if (order.status !== 'ready') throw problem(403, 'orderNotReady', `the order is ${order.status}`);
    const request = new Pkcs10CertificateRequest(Buffer.from(String(payload.csr), 'base64url'));
    const names = namesOf(request);
    if (!(await request.verify()) || names.length !== 1 || names[0]?.value !== order.host)
      throw problem(400, 'badCSR', `the request is for ${JSON.stringify(names)}`);
    const validity = (this.options.validity ?? usual)(this.wall());
    const leaf = await this.issuer.certify(request.publicKey, [order.host], validity);
    order.certificate = `${leaf}${this.issuer.ca}`;
    order.status = 'processing';
    if (this.spoils !== null) Object.assign(order, { status: 'invalid', error: this.spoils });
    this.issued.push({ host: order.host, chain: order.certificate, replaces: order.replaces });
    return this.state(id, order);
  }
}

function namesOf(request: Pkcs10CertificateRequest): { type: string; value: string }[] {
  const extension = request.getExtension('2.5.29.17');
  return extension === null ? [] : new SubjectAlternativeNameExtension(extension.rawData).names.toJSON();
}

type Header = JWSHeaderParameters & { nonce?: string; url?: string; jwk?: JWK; kid?: string };

function usual(wall: number): Validity {
  return { from: wall - HOUR, until: wall + 90 * DAY };
}

function urn(type: string): string {
  return `urn:ietf:params:acme:error:${type}`;
}

function problem(status: number, type: string, detail: string): Reply {
  return { status, body: { type: urn(type), detail, status } };
}

function isReply(error: unknown): error is Reply {
  return typeof (error as Reply).status === 'number' && 'body' in (error as object);
}

function saidOf(fault: Exclude<AcmeFault, string>): Reply {
  const { status, type, detail = 'because of a test', retryAfter } = fault;
  const said = problem(status, type, detail);
  return retryAfter === undefined ? said : { ...said, headers: { 'retry-after': retryAfter } };
}

/** The serial number of the first certificate of a chain. */
export function serialOf(chain: string): string {
  return new X509Certificate(chain).serialNumber;
}

export function acmeServer(options: AcmeServerOptions): Promise<AcmeServer> {
  return AcmeServer.start(options);
}
