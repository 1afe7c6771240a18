import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CertificatePair, type Certificates, certificates } from '../../src/testkit/index.ts';
import { type Stage, stage } from './stage.ts';

let authority: Certificates;
let pair: CertificatePair;
let own: CertificatePair;
let server: Server;
let on: Stage;
let shown: { subject: string | undefined; form: URLSearchParams; authorization: string | undefined }[];

beforeAll(async () => {
  authority = await certificates();
  pair = await authority.leaf(['127.0.0.1']);
  own = await authority.leaf(['tidegate']);
});
afterEach(async () => {
  await on.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function start(tls: object, more: object = {}): Promise<number> {
  shown = [];
  server = createServer(
    { ...pair, ca: authority.ca, requestCert: true, rejectUnauthorized: false },
    async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const socket = request.socket as TLSSocket;
      shown.push({
        subject: socket.getPeerCertificate().subjectaltname,
        form: new URLSearchParams(Buffer.concat(chunks).toString()),
        authorization: request.headers.authorization,
      });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"active":true}');
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  on = await stage({
    auth: {
      main: {
        introspection: {
          endpoint: `https://127.0.0.1:${port}/introspect`,
          clientId: 'tidegate',
          tls,
          ...more,
        },
      },
    },
    route: { auth: { with: 'main' } },
  });
  return (await on.ask('GET /x', 'Authorization: Bearer t')).status;
}

describe('an auth server over TLS', () => {
  it('is asked where its certificate is trusted', async () => {
    expect(await start({ ca: authority.ca }, { clientSecret: 's' })).toBe(200);
  });

  it('is not told the token where its certificate is not: 503', async () => {
    expect(await start({}, { clientSecret: 's' })).toBe(503);
    expect(shown).toEqual([]);
  });

  it('knows the gateway by its certificate where tls_client_auth is said (RFC 8705 §2)', async () => {
    const tls = { ca: authority.ca, cert: own.cert, key: own.key };
    expect(await start(tls, { clientAuth: 'tls_client_auth' })).toBe(200);
    expect(shown[0]!.subject).toContain('tidegate');
    expect([shown[0]!.form.get('client_id'), shown[0]!.authorization]).toEqual(['tidegate', undefined]);
  });
});
