import { afterAll, describe, expect, it } from 'vitest';
import { tempFolder } from '../../src/testkit/index.ts';
import { tidegate } from './tidegate.ts';

const CONFIG = `
services: { ordering: { url: http://127.0.0.1:4003 } }
auth:
  keys: { apiKey: { keys: [ { hash: 'sha256:2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683', subject: robot } ] } }
policies:
  readOrders: '"orders:read" in auth.permissions'
  own: 'auth.subject == params.customer || auth.claims.admin == true'
defaults: { auth: { with: keys, allow: readOrders } }
routes:
  orders: { match: /orders/*, to: ordering }
  write: { match: { path: /orders/*, method: POST }, to: ordering, auth: { with: keys, permissions: ['orders:write'] } }
  customer: { match: '/customers/{customer}', to: ordering, auth: { with: keys, allow: own } }
  internal: { match: /internal, to: ordering, auth: { with: none, allow: 'inCidr(request.ip, ["10.0.0.0/8"])' } }
  asked: { match: /asked, to: ordering, auth: { with: keys, opa: { url: 'http://127.0.0.1:9/v1/data/a' } } }
  seen: { match: /notes/*, to: ordering, auth: { with: keys, allowResponse: response.body.owner == auth.subject } }
  open: { match: /health, to: ordering, auth: none }
`;

const POLICIES = `
config: gateway.yaml
identities:
  reader: { subject: bob, permissions: ['orders:read'] }
  admin: { subject: eve, permissions: ['orders:read', 'orders:write'], claims: { admin: true } }
  nobody: none
requests:
  read: { request: GET /orders/1, deny: nobody }
  write: { request: POST /orders/1, allow: [admin] }
  traversal: { request: GET /health/..%2forders/1, allow: [] }
  own: { request: GET /customers/bob, allow: [reader, admin] }
  other: { request: GET /customers/eve, allow: [admin], deny: [reader] }
  inside: { request: GET /internal, ip: 10.1.2.3, allow: [reader, admin, nobody] }
  outside: { request: GET /internal, ip: 192.0.2.1, allow: [] }
  health: { request: GET /health, deny: [] }
  nothing: { request: GET /nothing, allow: [] }
  seen: { request: GET /notes/1, deny: nobody }
  unseen: { request: PUT /notes/1, allow: [] }
`;

describe('tidegate test', () => {
  const folder = tempFolder();
  afterAll(() => folder.close());
  const run = async (policies: string, ...args: string[]) => {
    folder.write('gateway.yaml', CONFIG);
    const file = folder.write('policies.yaml', policies);
    return await tidegate(folder.path, ['test', file, ...args]);
  };

  it('judges a rule that is on trial as if it were in force', async () => {
    const trial =
      "write: { match: { path: /orders/*, method: POST }, to: ordering, auth: { with: keys, permissions: ['orders:write'] } }";
    const config = CONFIG.replace(trial, trial.replace(' } }', ', report: true } }'));
    expect(config).toContain('report: true');
    folder.write('trial.yaml', config);
    const file = folder.write('policies.yaml', POLICIES.replace('gateway.yaml', 'trial.yaml'));
    const { stdout } = await tidegate(folder.path, ['test', file]);
    expect(stdout).toContain('write      deny    allow  deny');
  });

  it('shows who may send what, and ends with 0 where all is as expected', async () => {
    const { code, stdout, stderr } = await run(POLICIES);
    expect(stderr).toBe('');
    expect(stdout.split('\n').slice(0, 4)).toEqual([
      '           reader  admin  nobody',
      'read       allow   allow  deny',
      'write      deny    allow  deny',
      'traversal  deny    deny   deny',
    ]);
    expect(stdout).toContain('32 decisions as expected');
    expect(code).toBe(0);
  });

  it('ends with 1 and says why, where a decision is another one', async () => {
    const { code, stdout } = await run(
      POLICIES.replace(
        'write: { request: POST /orders/1, allow: [admin] }',
        'write: { request: POST /orders/1, allow: [reader] }',
      ),
    );
    expect(code).toBe(1);
    expect(stdout).toContain(
      'write, reader: expected allow, but it is deny\n    route write: the permission orders:write is missing: 403',
    );
    expect(stdout).toContain('2 decisions of 32 not as expected');
  });

  it('what somebody outside decides is neither', async () => {
    const { code, stdout } = await run(POLICIES.replace('GET /health,', 'GET /asked,'));
    expect(code).toBe(1);
    expect(stdout).toContain('expected allow, but it is ?\n    route asked: opa decides');
  });

  it('--json gives every decision', async () => {
    const { code, stdout } = await run(POLICIES, '--json');
    const { ok, results } = JSON.parse(stdout) as { ok: boolean; results: Record<string, unknown>[] };
    expect([code, ok, results.length]).toEqual([0, true, 33]);
    expect(results[0]).toEqual({
      request: 'read',
      identity: 'reader',
      allowed: true,
      route: 'orders',
      why: 'all that the route asks for holds',
      expected: true,
      ok: true,
    });
  });

  it.each([
    ['identities: {}', 'requests: {}', '"identities" is missing'],
    ['nobody: none', 'nobody: 3', 'identities.nobody: this must be an object, or none for nobody'],
    [
      'deny: nobody',
      'deny: nobdy',
      'requests.read.deny: there is no identity "nobdy"; there are: reader, admin, nobody',
    ],
    ['deny: nobody', 'denny: nobody', '"denny" is no key here; there are: request,'],
    ['GET /orders/1', 'orders', 'requests.read.request: write a method and a URL'],
    ['subject: bob', 'provider: kees', 'identities.reader: the config has no provider "kees"'],
    ['identities:', 'identities: [', 'policies.yaml: '],
    ['gateway.yaml', '*gateway', 'policies.yaml: Unresolved alias'],
  ])('tells where the file is wrong: %s, written %s', async (from, to, message) => {
    const { code, stderr } = await run(from === 'identities: {}' ? to : POLICIES.replace(from, to));
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/ at .*:\d+:\d+/);
    expect(code).toBe(1);
  });

  it('takes anchors and <<, and permissions as one text, as a config does', async () => {
    const shared = POLICIES.replace('reader: {', 'reader: &reader {').replace(
      "admin: { subject: eve, permissions: ['orders:read', 'orders:write'],",
      'admin: { <<: *reader, subject: eve, permissions: orders:read orders:write,',
    );
    const { code, stdout } = await run(shared);
    expect([code, stdout.includes('32 decisions as expected')]).toEqual([0, true]);
  });

  it('tells of a file that is not there', async () => {
    folder.write('gateway.yaml', CONFIG);
    const { code, stderr } = await tidegate(folder.path, ['test', 'nowhere.yaml']);
    expect([code, stderr]).toEqual([1, "error: the file nowhere.yaml can't be read: ENOENT\n"]);
  });

  it('has its help', async () => {
    expect((await tidegate(folder.path, ['test', '--help'])).stdout).toContain('tidegate test policies.yaml');
  });
});
