/** `report: true`: what a route allows is tried on live traffic, by a gateway as it is run. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpOrigin, httpOrigin, until } from '../../src/testkit/index.ts';
import { type AdminNode, adminNode, ask } from '../admin/node.ts';

const hash = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

let point: HttpOrigin;
let node: AdminNode;
let say: { status: number; body: string };

beforeAll(async () => {
  point = await httpOrigin((_request, response) => void response.writeHead(say.status).end(say.body));
  const opa = { url: `${point.url}/v1/data/shop/allow` };
  const away = { url: 'http://127.0.0.1:9' };
  const rules = {
    allow: { allow: '"pro" in auth.permissions' },
    permissions: { permissions: ['pro'] },
    scopes: { scopes: ['pro'] },
    opa: { opa },
    authzen: { authzen: { url: point.url } },
    opaaway: { opa: away },
    authzenaway: { authzen: away },
    unasked: { opa: { ...opa, input: '{"x": request.headers["x-none"]}' } },
    shown: { allowResponse: 'response.body.owner == auth.subject' },
  };
  const routes = Object.entries(rules).map(([name, rule]) => [
    name,
    { match: `/${name}`, respond: { json: { owner: 'eve' } }, auth: { with: 'keys', report: true, ...rule } },
  ]);
  const free = { match: '/free', respond: {}, auth: { with: 'none', allow: 'false', report: true } };
  node = await adminNode({
    auth: { keys: { apiKey: { keys: [{ hash: hash('bob'), subject: 'bob' }] } } },
    routes: { ...Object.fromEntries(routes), free },
  });
});
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await point.close();
});

const bob = { 'x-api-key': 'bob' };

async function reported(route: string): Promise<number> {
  const { routes } = JSON.parse((await node.api('/v1/routes')).text);
  return routes.find(({ name }: { name: string }) => name === route).reported;
}

describe('on trial', () => {
  it.each([
    ['allow', 'allow is false'],
    ['permissions', 'the permission pro is missing'],
    ['scopes', 'the scope pro is missing'],
    ['opa', 'the decision point does not allow it'],
    ['authzen', 'the decision point does not allow it'],
    ['opaaway', 'ECONNREFUSED'],
    ['authzenaway', 'ECONNREFUSED'],
    ['unasked', "it can't be asked about"],
  ])('what %s would refuse passes, is counted and logged', async (route, why) => {
    say = { status: 200, body: '{"result":false,"decision":false}' };
    expect((await ask(node.port, `/${route}`, { headers: bob })).status).toBe(200);
    expect(await reported(route)).toBe(1);
    const told = () =>
      node.logged('a rule on trial would refuse requests').some((line) => {
        return line.route === route && String(line.why).includes(why);
      });
    await until(told, `a line of ${route}`);
  });

  it.each(['allow', 'permissions', 'scopes', 'opa', 'authzen', 'opaaway'])(
    'without a good credential %s is 401 all the same',
    async (route) => {
      const before = await reported(route);
      expect((await ask(node.port, `/${route}`)).status).toBe(401);
      expect((await ask(node.port, `/${route}`, { headers: { 'x-api-key': 'eve' } })).status).toBe(401);
      expect(await reported(route)).toBe(before);
    },
  );

  it.each(['opa', 'authzen'])('what %s allows is not reported', async (route) => {
    const before = await reported(route);
    say = { status: 200, body: '{"result":true,"decision":true}' };
    expect((await ask(node.port, `/${route}`, { headers: bob })).status).toBe(200);
    expect(await reported(route)).toBe(before);
  });

  it('a rule without a token is tried too', async () => {
    expect((await ask(node.port, '/free')).status).toBe(200);
    expect(await reported('free')).toBe(1);
  });

  it('what an answer may show is not on trial', async () => {
    expect((await ask(node.port, '/shown', { headers: bob })).status).toBe(403);
  });

  it('explain says what would be refused', async () => {
    const explained = await node.post('/v1/explain', { url: '/permissions', headers: bob });
    const { auth, status } = JSON.parse(explained.text);
    expect(auth.says).toMatch(/it would not be allowed, but the rule is on trial/);
    expect(status).toBe(200);
  });
});
