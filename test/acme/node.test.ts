/** A gateway as it is run, with workers, from nothing to a certificate and over its life. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import {
  type AcmeServer,
  acmeServer,
  freePort,
  type RawClient,
  rawClient,
  serialOf,
  until,
} from '../../src/testkit/index.ts';
import { type AdminNode, adminNode, ask } from '../admin/node.ts';

interface Ports {
  plain: number;
  front: number;
}

const newPorts = async (): Promise<Ports> => ({ plain: await freePort(), front: await freePort() });

function configOf(ca: AcmeServer, { plain, front }: Ports, hosts = ['shop.test']) {
  const acme = { email: 'ops@example.com', hosts, directory: ca.directory, ca: ca.ca };
  return {
    listen: [
      { name: 'plain', address: `127.0.0.1:${plain}` },
      { name: 'front', address: `127.0.0.1:${front}`, tls: { acme } },
    ],
    workers: 2,
    // All of port 80 goes to https, but for what an authority looks for.
    routes: {
      up: { match: { listener: 'plain', path: '/*' }, redirect: { scheme: 'https' } },
      all: { match: '/*', respond: { body: 'hello' } },
    },
  };
}

/** The serial number that clients are shown. Null: the handshake fails. */
function shown(port: number, servername: string, ca: string): Promise<string | null> {
  const socket = connect({ host: '127.0.0.1', port, servername, ca });
  return new Promise((resolve) => {
    socket.on('error', () => resolve(null));
    socket.on('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()!.serialNumber);
      socket.destroy();
    });
  });
}

/** Waits until so many handshakes in a row see the newest certificate: every worker has it. */
async function everywhere(ca: AcmeServer, { front }: Ports, host = 'shop.test', times = 12): Promise<void> {
  const newest = () => ca.issued.findLast((one) => one.host === host);
  await until(() => newest() !== undefined, `a certificate for ${host}`, 15_000);
  await until(
    async () => {
      const wanted = serialOf(newest()!.chain);
      const all = await Promise.all(Array.from({ length: times }, () => shown(front, host, ca.ca)));
      return all.every((one) => one === wanted);
    },
    `the newest certificate for ${host} at all workers`,
    15_000,
  );
}

/** What is kept, once no order is under way. */
async function kept(node: AdminNode): Promise<string[]> {
  const folder = join(node.folder.path, 'acme');
  const [authority] = readdirSync(folder).filter((name) => name !== '.gitignore');
  const files = () => readdirSync(join(folder, authority!)).sort();
  await until(() => !files().includes('lock'), 'the end of the order');
  return files();
}

const stillServes = async (client: RawClient) => {
  await client.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
  return (await client.response()).body.toString() === 'hello';
};

const clientOf = (ca: AcmeServer, { front }: Ports) =>
  rawClient({ port: front, tls: { ca: ca.ca, servername: 'shop.test' } });

test('a start from nothing: ready at once, a certificate at every worker, and metrics tell of it', async () => {
  const ports = await newPorts();
  await using ca = await acmeServer({ reach: () => ports.plain });
  ca.fail('order', { status: 503, type: 'serverInternal', retryAfter: '1' });
  await using node = await adminNode(configOf(ca, ports));
  expect((await node.api('/readyz')).status).toBe(200);
  await until(() => node.logged('a certificate could not be obtained').length === 1, 'the failure');
  const gauge = 'tidegate_certificate_expiry_timestamp_seconds{listener="front",name="shop.test"}';
  expect((await node.api('/metrics')).text).toContain(`${gauge} 0\n`);
  expect(await shown(ports.front, 'shop.test', ca.ca)).toBe(null);
  expect((await ask(ports.plain, '/', { headers: { host: 'shop.test' } })).status).toBe(308);
  // Whoever starts it again has mended something.
  node.gateway.signal('SIGTERM');
  await node.gateway.exit();
  await node.startAgain();
  await everywhere(ca, ports);
  const metrics = (await node.api('/metrics')).text;
  expect(
    Number(new RegExp(`^${gauge.replace(/[{}]/g, '\\$&')} (.*)$`, 'm').exec(metrics)![1]),
  ).toBeGreaterThan(Date.now() / 1000);
  expect(metrics).toContain('tidegate_acme_orders_total{host="shop.test",result="ok"} 1\n');
  expect(await kept(node)).toEqual(['account-ops@example.com.pem', 'shop.test.pem']);
  expect(node.gateway.output).not.toMatch(/PRIVATE KEY/);
});

test('a restart, and a worker that takes the place of a dead one, show what is kept and order nothing', async () => {
  const ports = await newPorts();
  await using ca = await acmeServer({ reach: () => ports.plain });
  await using node = await adminNode(configOf(ca, ports));
  await everywhere(ca, ports);
  const asked = ca.asked.length;
  process.kill(node.gateway.tree().find((pid) => pid !== node.gateway.pid)!, 'SIGKILL');
  await node.gateway.line(/the new worker serves/);
  await everywhere(ca, ports);
  node.gateway.signal('SIGTERM');
  await node.gateway.exit();
  await node.startAgain();
  expect(await shown(ports.front, 'shop.test', ca.ca)).toBe(serialOf(ca.issued[0]!.chain));
  await everywhere(ca, ports);
  expect(ca.asked.length).toBe(asked);
});

test('a renewed certificate is shown by every worker, and no connection is closed for it', async () => {
  const ports = await newPorts();
  const life = { from: 0, until: 9_000 };
  const validity = (wall: number) => ({ from: wall + life.from, until: wall + life.until });
  await using ca = await acmeServer({ reach: () => ports.plain, validity });
  await using node = await adminNode(configOf(ca, ports));
  await everywhere(ca, ports);
  await using client = await clientOf(ca, ports);
  expect(await stillServes(client)).toBe(true);
  life.until = 3_600_000;
  await until(() => ca.issued.length === 2, 'the renewal', 15_000);
  await everywhere(ca, ports);
  expect(await stillServes(client)).toBe(true);
  expect(node.logged('a certificate was obtained').length).toBe(2);
});

test('a new version (SIGUSR2) takes over an order that is under way', async () => {
  const ports = await newPorts();
  await using ca = await acmeServer({ reach: () => ports.plain });
  ca.fail('finalize', 'silence');
  await using node = await adminNode(configOf(ca, ports));
  await until(() => ca.count('finalize') === 1, 'the order');
  node.gateway.signal('SIGUSR2');
  await node.gateway.line(/"message":"the new version serves"/);
  await everywhere(ca, ports);
  await until(() => node.logged('drained').length === 1, 'the end of the old one');
  expect(ca.issued.length).toBe(1);
  expect(node.logged('a certificate could not be obtained')).toEqual([]);
  await everywhere(ca, ports);
});

test('hosts come and go with a reload', async () => {
  const ports = await newPorts();
  await using ca = await acmeServer({ reach: () => ports.plain });
  await using node = await adminNode(configOf(ca, ports));
  await everywhere(ca, ports);
  await node.reloaded(() => node.write(configOf(ca, ports, ['shop.test', 'new.test'])));
  await everywhere(ca, ports, 'new.test');
  await node.reloaded(() => node.write(configOf(ca, ports, ['new.test'])));
  expect(await shown(ports.front, 'shop.test', ca.ca)).toBe(null);
  await everywhere(ca, ports, 'new.test');
  await node.reloaded(() => node.write(configOf(ca, ports, ['shop.test', 'new.test'])));
  await everywhere(ca, ports);
  expect(ca.issued.length).toBe(2);
});

test('the end of the gateway breaks off what is under way', async () => {
  const ports = await newPorts();
  await using ca = await acmeServer({ reach: () => ports.plain });
  ca.fail('order', 'silence');
  await using node = await adminNode({ ...configOf(ca, ports), drain: { timeout: '1s' } });
  await until(() => ca.count('order') === 1, 'the order');
  node.gateway.signal('SIGTERM');
  expect(await node.gateway.exit(5_000)).toEqual({ code: 0, signal: null });
  expect(await kept(node)).toEqual(['account-ops@example.com.pem']);
});
