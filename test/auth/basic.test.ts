import { execFileSync } from 'node:child_process';
import bcrypt from 'bcryptjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadObject } from '../../src/config/index.ts';
import { headerValue } from '../../src/testkit/index.ts';
import { type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(async () => await on?.close());

const BCRYPT = bcrypt.hashSync('geheim', 4);
const ARGON2 = execFileSync('bin/tidegate', ['hash', 'password'], { input: 'pässword\n' }).toString().trim();
const shown = (text: string | Buffer) => `Authorization: Basic ${Buffer.from(text).toString('base64')}`;
const start = async (users: object[], more: object = {}) => {
  on = await stage({
    auth: { staff: { basic: { realm: 'sh"op', users, ...more } } },
    route: { auth: { with: 'staff' } },
  });
};
const USERS = [
  { name: 'bob', password: BCRYPT, permissions: ['orders:read'] },
  { name: 'zoë', password: ARGON2 },
];

describe('names and passwords (RFC 7617)', () => {
  it.each([
    ['bcrypt', 'bob:geheim', 'bob'],
    ['argon2id, as "tidegate hash password" prints it, with UTF-8 in both', 'zoë:pässword', 'zo%C3%AB'],
  ])('checked by %s', async (_what, text, subject) => {
    await start(USERS);
    expect((await on.ask('GET /x', shown(text))).status).toBe(200);
    expect(headerValue(on.got(), 'x-auth-subject')).toBe(subject);
    expect(headerValue(on.got(), 'authorization')).toBeUndefined();
  });

  it('a password that is right is checked once', async () => {
    await start(USERS);
    await on.ask('GET /x', shown('bob:geheim'));
    const began = performance.now();
    for (let i = 0; i < 20; i++) expect((await on.ask('GET /x', shown('bob:geheim'))).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it.each([
    ['a wrong password', shown('bob:falsch')],
    ['no password', shown('bob:')],
    ['an unknown name', shown('eve:geheim')],
    ['the hash for the password', shown(`bob:${BCRYPT}`)],
    ['a NUL behind the password', shown('bob:geheim\0')],
    ['a control character in the name', shown('bob\x01:geheim')],
    ['no colon', shown('bob')],
    ['no base64', 'Authorization: Basic !!!!'],
    ['nothing behind the scheme', 'Authorization: Basic '],
    ['a password that is longer than any', shown(`bob:${'x'.repeat(9000)}`)],
  ])('401 for %s, and the same answer for all', async (_what, line) => {
    await start(USERS);
    const answer = await on.ask('GET /x', line);
    expect(answer.status).toBe(401);
    expect(headerValue(answer, 'www-authenticate')).toBe('Basic realm="sh\\"op", charset="UTF-8"');
    expect(on.service.requests).toEqual([]);
  });

  it('attack: a password cut at 72 bytes by bcrypt counts with no other end', async () => {
    const long = 'x'.repeat(72);
    await start([{ name: 'bob', password: bcrypt.hashSync(long, 4) }]);
    expect((await on.ask('GET /x', shown(`bob:${long}`))).status).toBe(200);
    expect((await on.ask('GET /x', shown(`bob:${long}y`))).status).toBe(401);
    expect((await on.ask('GET /x', shown(`bob:${'x'.repeat(71)}é`))).status).toBe(401);
  });

  it('attack: an unknown name takes the time of a wrong password (user enumeration)', async () => {
    await start([{ name: 'bob', password: bcrypt.hashSync('geheim', 10) }]);
    const time = async (name: string) => {
      const began = performance.now();
      await on.ask('GET /x', shown(`${name}:${began}`));
      return performance.now() - began;
    };
    const least = async (name: string) => Math.min(await time(name), await time(name), await time(name));
    await time('bob');
    const [known, unknown] = [await least('bob'), await least('eve')];
    expect(unknown).toBeGreaterThan(known / 3);
  });

  it('attack: a flood of passwords is turned away with 503, and others are served meanwhile', async () => {
    on = await stage({
      auth: { staff: { basic: { users: [{ name: 'bob', password: bcrypt.hashSync('geheim', 7) }] } } },
      routes: {
        guarded: { match: '/x', to: 'shop', auth: { with: 'staff' } },
        open: { match: '/open', to: 'shop' },
      },
    });
    const flood = Array.from({ length: 100 }, (_, i) => on.ask('GET /x', shown(`bob:${i}`)));
    expect((await on.ask('GET /open')).status).toBe(200);
    const statuses = (await Promise.all(flood)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401, 503]));
    expect((await on.ask('GET /x', shown('bob:geheim'))).status).toBe(200);
  }, 30_000);

  it('the password itself from the environment, also where a default gives it', async () => {
    vi.stubEnv('BOB_PASSWORD', 'plain');
    await start([
      { name: 'bob', password: '${env.BOB_PASSWORD}' },
      { name: 'eve', password: '${env.EVE_PASSWORD:other}' },
    ]);
    expect((await on.ask('GET /x', shown('bob:plain'))).status).toBe(200);
    expect((await on.ask('GET /x', shown('eve:other'))).status).toBe(200);
    expect((await on.ask('GET /x', shown('eve:plain'))).status).toBe(401);
    vi.unstubAllEnvs();
  });
});

describe('what the config may not say of passwords', () => {
  const issues = (users: object[]) =>
    loadObject(
      {
        services: { a: { url: 'http://127.0.0.1:1' } },
        auth: { staff: { basic: { users } } },
        routes: { all: { match: '/*', to: 'a', auth: { with: 'staff' } } },
      },
      '.',
    ).issues.map(({ code, message, advice }) => `${code} ${message}; ${advice}`);

  it('the password itself: the error names the command that hashes it, and not the password', () => {
    const [issue] = issues([{ name: 'bob', password: 'hunter2' }]);
    expect(issue).toMatch(/TG_CONFIG_SECRET.*tidegate hash password/);
    expect(issue).not.toContain('hunter2');
  });

  it.each([
    ['$2b$12$short', 'bcrypt'],
    [`$2b$31$${'a'.repeat(53)}`, 'out of bounds'],
    ['$argon2id$v=19$m=99999999,t=1,p=1$c29tZXNhbHQ$c29tZXRhZ3NvbWV0YWdzb21l', 'cost more'],
    ['$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$c29tZXRhZw', 'only argon2id and bcrypt'],
    ['$1$salt$hash', 'only argon2id and bcrypt'],
  ])('the hash %s', (password, message) => {
    expect(issues([{ name: 'bob', password }])[0]).toContain(message);
  });

  it('one name twice', () => {
    expect(issues([USERS[0]!, USERS[0]!])[0]).toContain('twice');
  });
});
