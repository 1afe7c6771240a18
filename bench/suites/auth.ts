import { webcrypto } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { ALWAYS, type Identity, NO_FENCES } from '../../src/auth/index.ts';
import { JwtProvider } from '../../src/auth/jwt/index.ts';
import type { JwtConfig } from '../../src/config/model.ts';
import { Exchange } from '../../src/http/exchange.ts';
import { requestVariables } from '../../src/snapshot/index.ts';
import { silentLogger } from '../../src/telemetry/index.ts';
import { httpOrigin } from '../../src/testkit/index.ts';
import { Resolver } from '../../src/upstream/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import { systemRandom } from '../../src/util/random.ts';
import { type Bench, startGateway } from '../bench.ts';
import { type LoadResult, missingTool, wrk } from '../load.ts';
import { nginx, nginxCommand, tidegateCommand } from '../peers/index.ts';
import { fixed, median, printTable, target } from '../report.ts';
import { type Contestant, compare, cpuRatio, printStandings } from './compare.ts';

const POLICY = '"orders:read" in auth.permissions && auth.subject != "mallory"';

/** What a guard costs: a decision that is kept, a token that was seen before, and one that never was. */
export async function authSuite(bench: Bench): Promise<unknown> {
  const fresh = await freshTokens();
  const missing = missingTool('wrk');
  if (missing !== null) {
    console.log(`  left out: ${missing}`);
    return { fresh };
  }
  await using server = await httpOrigin((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"active":true,"sub":"alice","scope":"orders:read"}');
  });
  const { token, jwks } = await signer('RS256', 1);
  const keys = bench.folder.write('keys.json', JSON.stringify(jwks));
  const providers = {
    main: {
      introspection: { endpoint: server.url, clientId: 'bench', clientSecret: 'bench', cache: '1h' },
    },
    jwt: { jwt: { jwks: keys, issuer: 'bench', audience: 'orders' } },
  };
  const list = [
    contestant(bench, 'open', token[0]!, {}, {}),
    contestant(
      bench,
      'introspected',
      token[0]!,
      { main: providers.main },
      { auth: { with: 'main', allow: POLICY } },
    ),
    contestant(bench, 'jwt', token[0]!, { jwt: providers.jwt }, { auth: { with: 'jwt', allow: POLICY } }),
  ];
  if (nginx.missing() === null) list.push(askingNginx(bench, server.url, token[0]!));
  const standings = await compare(bench, list);
  printStandings(standings, 'open');
  target('a decision that is kept, and a policy × open', cpuRatio(standings, 'introspected', 'open'), 1.2);
  target('a signed token seen before, and a policy × open', cpuRatio(standings, 'jwt', 'open'), 1.2);
  const asking = cpuRatio(standings, ASKING, 'introspected');
  if (!Number.isNaN(asking))
    console.log(`  nginx that asks the auth server each time: ${fixed(asking, 2)} × a decision that is kept`);
  return { fresh, standings };
}

const ASKING = 'nginx auth_request';

/** nginx asks the same auth server about each request, over kept connections, and keeps no decision. */
function askingNginx(bench: Bench, authServer: string, token: string): Contestant {
  const upstream = `upstream auth { server ${new URL(authServer).host}; keepalive 100; keepalive_requests 1000000000; }`;
  const guard = `auth_request /auth;
      location = /auth {
        internal;
        proxy_pass http://auth/introspect;
        proxy_http_version 1.1;
        proxy_pass_request_body off;
        proxy_set_header Connection "";
        proxy_set_header Content-Length "";
      }`;
  return {
    name: ASKING,
    start: (port, originPort) =>
      startGateway(bench, nginxCommand(bench, { port, originPort }, upstream, guard), port),
    load: (port, seconds) => loaded(bench, port, token, seconds),
  };
}

/** All send the same head, so that the guard alone is what differs. */
function contestant(bench: Bench, name: string, token: string, auth: object, route: object): Contestant {
  return {
    name,
    start: async (port, originPort) => {
      const routes = { all: { match: '/*', to: 'origin', ...route } };
      const more = Object.keys(auth).length === 0 ? {} : { auth };
      const command = await tidegateCommand(bench, { port, originPort }, routes, {}, {}, more);
      return await startGateway(bench, command, port);
    },
    load: (port, seconds) => loaded(bench, port, token, seconds),
  };
}

function loaded(bench: Bench, port: number, token: string, seconds: number): Promise<LoadResult> {
  return wrk(bench, {
    url: `http://127.0.0.1:${port}/`,
    connections: bench.options.connections,
    seconds,
    headers: [`Authorization: Bearer ${token}`],
  });
}

const TOKENS = 4000;
const AT_ONCE = 64;

/** The whole judgement of tokens never seen before, beside WebCrypto's bare check of their signatures. */
async function freshTokens(): Promise<object> {
  const rows: Record<string, Awaited<ReturnType<typeof interleaved>>> = {};
  for (const alg of ['RS256', 'ES256', 'EdDSA']) {
    const { token, jwks, verifier } = await signer(alg, TOKENS);
    const exchanges = token.map(exchangeWith);
    rows[alg] = await interleaved(
      () => judged(jwks, exchanges),
      () => bareChecks(alg, verifier, token),
    );
  }
  printTable(
    ['a token never seen before', 'CPU µs', 'WebCrypto alone', 'ratio'],
    Object.entries(rows).map(([alg, { ours, bare, ratio }]) => [
      alg,
      fixed(ours, 1),
      fixed(bare, 1),
      fixed(ratio, 2),
    ]),
  );
  target(
    'a token never seen before × WebCrypto',
    Math.max(...Object.values(rows).map(({ ratio }) => ratio)),
    1.3,
  );
  return rows;
}

const ROUNDS = 9;

/** Microseconds for one token, and the ratio: each the median of the rounds. */
async function interleaved(ours: () => Promise<void>, bare: () => Promise<void>) {
  const rounds: { ours: number; bare: number }[] = [];
  await ours();
  await bare();
  for (let i = 0; i < ROUNDS; i++) rounds.push({ ours: await cpuOf(ours), bare: await cpuOf(bare) });
  return {
    ours: median(rounds.map((round) => round.ours)),
    bare: median(rounds.map((round) => round.bare)),
    ratio: median(rounds.map((round) => round.ours / round.bare)),
  };
}

async function cpuOf(run: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / TOKENS;
}

async function bareChecks(alg: string, key: webcrypto.CryptoKey, tokens: readonly string[]): Promise<void> {
  const algorithm = alg === 'ES256' ? { name: 'ECDSA', hash: 'SHA-256' } : key.algorithm.name;
  for (let i = 0; i < tokens.length; i += AT_ONCE) {
    const checks = tokens.slice(i, i + AT_ONCE).map((token) => {
      const dot = token.lastIndexOf('.');
      const signature = Buffer.from(token.slice(dot + 1), 'base64url');
      return webcrypto.subtle.verify(algorithm, key, signature, Buffer.from(token.slice(0, dot)));
    });
    if (!(await Promise.all(checks)).every(Boolean)) throw new Error('a signature is wrong');
  }
}

async function judged(jwks: object, exchanges: readonly Exchange[]): Promise<void> {
  const provider = new JwtProvider(configOf(jwks), {
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    resolver: new Resolver(systemClock),
    endpoints: new Set(),
    memory: ALWAYS,
    fences: NO_FENCES,
    nodeSecret: () => '',
    records: null,
    seenElsewhere: [],
    variables: requestVariables,
  });
  for (const exchange of exchanges) {
    const credential = provider.recognises(exchange);
    if (credential === null || typeof credential === 'symbol') throw new Error('a token is not recognised');
    const decided = provider.authenticate(credential);
    const decision = decided instanceof Promise ? await decided : decided;
    if (decision.kind !== 'allowed' || (decision.identity as Identity).subject !== 'alice')
      throw new Error('a token is refused');
  }
}

function exchangeWith(token: string): Exchange {
  const origin = { listener: 'default', scheme: 'http' as const, address: '127.0.0.1', port: 80 };
  const responder = { inform() {}, respond() {} };
  // Flat, as it would come from a socket.
  const value = Buffer.from(`Bearer ${token}`, 'latin1').toString('latin1');
  return new Exchange(origin, responder, 'GET', '/', 'a', 11, ['authorization', value], null, 0);
}

function configOf(jwks: object): JwtConfig {
  return {
    kind: 'jwt',
    name: 'jwt',
    from: null,
    crossSite: false,
    subject: null,
    permissions: null,
    claims: {},
    tags: [],
    keys: { kind: 'file', text: JSON.stringify(jwks) },
    issuer: 'bench',
    audience: ['orders'],
    algorithms: ['RS256', 'ES256', 'EdDSA'],
    typ: null,
    skew: 5000,
    tls: { ca: null, cert: null, key: null, serverName: null, verify: true },
    timeout: 2000,
    allowHttp: false,
  };
}

async function signer(alg: string, count: number) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg, use: 'sig' };
  const token = await Promise.all(
    Array.from({ length: count }, (_, i) =>
      new SignJWT({ iss: 'bench', aud: 'orders', sub: 'alice', scope: 'orders:read', jti: String(i) })
        .setProtectedHeader({ alg, kid: 'k', typ: 'at+jwt' })
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey),
    ),
  );
  return { token, jwks: { keys: [jwk] }, verifier: publicKey as webcrypto.CryptoKey };
}
