/**
 * The auth server: a real OpenID Connect server. What each user may do stands in the database, and is looked up
 * whenever the gateway asks about a token.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';
import pg from 'pg';

/** Users who get a token that is ready to be used. */
const users = ['ada-lindqvist', 'bela-novak'];
const day = 24 * 60 * 60;

const db = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4 });
db.on('error', (error) => console.error(error.message));

const server = createServer();
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', async () => {
  const { port } = server.address() as AddressInfo;
  const provider = providerAt(`http://127.0.0.1:${port}`);
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (request.url?.startsWith('/permissions/')) changePermission(request, response).catch(failed(response));
    else answer(request, response);
  });
  const tokens = await Promise.all(users.map(async (user) => [user, await tokenFor(provider, user)]));
  console.log(`tokens ${JSON.stringify(Object.fromEntries(tokens))}`);
  console.log(`auth listens on ${port}`);
});
process.once('SIGTERM', () => {
  server.close(() => db.end());
  server.closeIdleConnections();
});

function providerAt(issuer: string): Provider {
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'tidegate',
        client_secret: process.env.AUTH_SECRET ?? 'secret',
        grant_types: ['authorization_code'],
        redirect_uris: [`${issuer}/callback`],
      },
    ],
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: {
      devInteractions: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true },
    },
    ttl: { AccessToken: day, Grant: day },
  });
  provider.use(async (context, next) => {
    await next();
    const said = context.body as { active?: boolean; sub?: string; permissions?: string[] } | undefined;
    if (context.oidc?.route !== 'introspection' || said?.active !== true) return;
    said.permissions = await permissionsOf(said.sub ?? '');
  });
  return provider;
}

async function tokenFor(provider: Provider, accountId: string): Promise<string> {
  const client = await provider.Client.find('tidegate');
  const grant = new provider.Grant({ accountId, clientId: 'tidegate' });
  grant.addOIDCScope('openid');
  const grantId = await grant.save();
  const token = new provider.AccessToken({
    client: client!,
    accountId,
    grantId,
    gty: 'authorization_code',
    scope: 'openid',
  } as never);
  return await token.save();
}

async function permissionsOf(subject: string): Promise<string[]> {
  const { rows } = await db.query('select permission from permissions where subject = $1 order by 1', [
    subject,
  ]);
  return rows.map(({ permission }) => permission as string);
}

/** `PUT` and `DELETE /permissions/{subject}/{permission}`: gives and takes one. */
async function changePermission(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, , subject = '', permission = ''] = (request.url ?? '').split('/').map(decodeURIComponent);
  if (request.method === 'PUT')
    await db.query('insert into permissions values ($1, $2) on conflict do nothing', [subject, permission]);
  else if (request.method === 'DELETE')
    await db.query('delete from permissions where subject = $1 and permission = $2', [subject, permission]);
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ subject, permissions: await permissionsOf(subject) }));
}

const failed = (response: ServerResponse) => (error: Error) => {
  console.error(error.message);
  response.writeHead(500).end();
};
