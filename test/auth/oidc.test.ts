import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/testkit/index.ts';
import { type OidcServer, oidcServer } from './oidc-server.ts';
import { type Stage, stage } from './stage.ts';

let server: OidcServer;
let on: Stage;
beforeAll(async () => {
  server = await oidcServer();
});
afterAll(() => server.close());
afterEach(() => on?.close());

const start = async (route: object = {}) => {
  on = await stage({
    auth: {
      jwt: { jwt: { issuer: server.issuer, audience: 'orders', typ: 'at+jwt' } },
      main: {
        introspection: {
          endpoint: `${server.issuer}/token/introspection`,
          clientId: 'robot',
          clientSecret: '${env.OIDC_SECRET:robot-secret}',
          cache: '30s',
        },
      },
    },
    route: { auth: { with: ['jwt', 'main'], scopes: ['orders:read'], ...route } },
    clock: new ManualClock(Date.now()),
  });
};
const ask = async (token: string) => (await on.ask('GET /x', `Authorization: Bearer ${token}`)).status;

describe('with a real OpenID Connect server', () => {
  it('its signed tokens pass without a question about each, its opaque ones with one', async () => {
    await start();
    expect(await ask(await server.token('jwt'))).toBe(200);
    expect(await ask(await server.token('opaque'))).toBe(200);
    expect(await ask('no-such-token')).toBe(401);
  });

  it('scopes decide', async () => {
    await start();
    expect(await ask(await server.token('jwt', 'orders:write'))).toBe(403);
    expect(await ask(await server.token('opaque', 'orders:write'))).toBe(403);
  });

  it('a revoked token is refused once its decision has run out', async () => {
    await start();
    const token = await server.token('opaque');
    expect(await ask(token)).toBe(200);
    await server.revoke(token);
    on.clock.advance(30_000);
    expect(await ask(token)).toBe(401);
  });

  it('its tokens name the subject that auth shows', async () => {
    await start({ allow: 'auth.subject == "robot" && auth.claims.client_id == "robot"' });
    expect(await ask(await server.token('jwt'))).toBe(200);
  });

  it('the gateway may show who it is by a signed assertion (RFC 7523)', async () => {
    on = await stage({
      auth: {
        main: {
          introspection: {
            endpoint: `${server.issuer}/token/introspection`,
            clientId: 'signer',
            privateKey: server.signerKey,
            keyId: 'signer',
          },
        },
      },
      route: { auth: { with: 'main' } },
      clock: new ManualClock(Date.now()),
    });
    expect(await ask(await server.token('opaque'))).toBe(200);
    expect(await ask('no-such-token')).toBe(401);
  });
});
