/** The admin listener over TLS, of a gateway as it is run. */
import { connect } from 'node:tls';
import { beforeAll, expect, test } from 'vitest';
import {
  type CertificatePair,
  type Certificates,
  certificates,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';
import { AdminNode, adminNode, BIN } from './node.ts';

let authority: Certificates;
let pair: CertificatePair;

beforeAll(async () => {
  authority = await certificates();
  pair = await authority.leaf(['localhost', '127.0.0.1']);
});

async function tlsNode(): Promise<AdminNode> {
  const node = new AdminNode();
  node.folder.write('cert.pem', pair.cert);
  node.folder.write('key.pem', pair.key);
  await node.start({ admin: { tls: { cert: 'cert.pem', key: 'key.pem' }, token: 'sesame' } });
  return node;
}

const TOKEN = { authorization: 'Bearer sesame' };

/** Serial number of the certificate that is shown. */
function shown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', ca: authority.ca }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('with `admin.tls` it answers over HTTPS alone, and the log names the address so', async () => {
  await using node = await tlsNode();
  const { status, text } = await node.api('/v1/status', { ca: authority.ca, headers: TOKEN });
  expect([status, JSON.parse(text).workers]).toEqual([200, 1]);
  expect(node.logged('serving')[0]!.admin).toBe(`https://127.0.0.1:${node.admin}`);
  await expect(node.api('/healthz')).rejects.toThrow(/hang up|ECONNRESET|Parse Error/);
  expect((await node.api('/readyz', { ca: authority.ca })).status).toBe(200);
  await expect(
    node.api('/healthz', { ca: authority.ca, maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' }),
  ).rejects.toThrow();
});

test('its page may ask it, one that was not got over TLS may not', async () => {
  await using node = await tlsNode();
  const from = async (origin: string) =>
    (await node.api('/v1/status', { ca: authority.ca, headers: { ...TOKEN, origin } })).status;
  expect(await from(`https://127.0.0.1:${node.admin}`)).toBe(200);
  expect(await from(`http://127.0.0.1:${node.admin}`)).toBe(403);
});

test('without TLS a page of https is foreign, but under a name of `admin.hosts`, where a proxy may speak it', async () => {
  await using node = await adminNode({ admin: { hosts: ['gate.example'] } });
  const from = async (origin: string, host: string) =>
    (await node.api('/v1/status', { headers: { origin, host } })).status;
  const own = `127.0.0.1:${node.admin}`;
  expect(await from(`http://${own}`, own)).toBe(200);
  expect(await from(`https://${own}`, own)).toBe(403);
  expect(await from('https://gate.example', 'gate.example')).toBe(200);
  expect(await from('https://gate.example', 'gate.example:80')).toBe(403);
  expect(await from('ftp://gate.example', 'gate.example')).toBe(403);
});

test('new files are taken over without a restart; whether it speaks TLS is not', async () => {
  await using node = await tlsNode();
  const before = await shown(node.admin);
  const next = await authority.leaf(['localhost', '127.0.0.1']);
  node.folder.write('key.pem', next.key);
  node.folder.write('cert.pem', next.cert);
  await until(async () => (await shown(node.admin)) !== before, 'the new certificate');
  expect(node.gateway.output).not.toContain('waits for a restart');
  await node.reloaded(() => node.write({ admin: { token: 'sesame' } }));
  expect(node.gateway.output).toContain('the change of `admin` waits for a restart');
  expect((await node.api('/healthz', { ca: authority.ca })).status).toBe(200);
});

test('a new version on the same port speaks TLS too', async () => {
  await using node = await tlsNode();
  node.gateway.signal('SIGUSR2');
  await node.gateway.line(/"message":"drained"/);
  expect((await node.api('/v1/status', { ca: authority.ca, headers: TOKEN })).status).toBe(200);
});

test('`tidegate purge` names NODE_EXTRA_CA_CERTS where it does not trust the certificate, and works with it', async () => {
  await using node = await tlsNode();
  using folder = tempFolder();
  const purge = async (env: Record<string, string>) => {
    const args = ['purge', '--all', '--admin', `https://127.0.0.1:${node.admin}`, '--token', 'sesame'];
    const run = node.lab.start(BIN, args, { env });
    return { ...(await run.exit()), output: run.output };
  };
  const refused = await purge({});
  expect(refused.code).toBe(1);
  expect(refused.output).toContain('shows a certificate that this machine does not trust');
  expect(refused.output).toContain('say NODE_EXTRA_CA_CERTS=FILE');
  const trusted = await purge({ NODE_EXTRA_CA_CERTS: folder.write('ca.pem', authority.ca) });
  expect(trusted).toMatchObject({ code: 0, output: expect.stringMatching(/^purged: sequence \d+\n$/) });
});
