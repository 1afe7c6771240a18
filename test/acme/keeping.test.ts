/** Certificates over the months: when they are asked for, renewed, kept, and when not. */
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { acmeServer, ManualClock, serialOf, tempFolder, until } from '../../src/testkit/index.ts';
import { type Stage, stage } from './stage.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const start = () => stage(new ManualClock(), tempFolder());
const filesOf = ({ storage }: Stage) => {
  const [authority] = readdirSync(storage).filter((name) => name !== '.gitignore');
  return join(storage, authority!);
};
test('a host without a certificate gets one, which is kept for its owner alone', async () => {
  await using at = await start();
  const node = await at.node();
  await until(() => node.shown.length === 1, 'the certificate');
  expect(node.shown[0]).toEqual([at.ca.issued[0]!.chain]);
  expect(node.certificates.describe()).toEqual([
    { listener: 'front', name: 'shop.test', until: expect.any(Number) },
  ]);
  await until(() => node.entries.at(-1)?.message === 'a certificate was obtained', 'the end');
  await at.rests();
  const folder = filesOf(at);
  expect(readdirSync(folder).sort()).toEqual(['account-ops@example.com.pem', 'shop.test.pem']);
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(readFileSync(join(at.storage, '.gitignore'), 'utf8')).toBe('*\n');
  expect([...at.ca.accounts.values()]).toMatchObject([{ contact: ['mailto:ops@example.com'], agreed: true }]);
});

test('each state is logged once, and nothing secret', async () => {
  await using at = await start();
  const node = await at.node();
  await until(() => node.entries.at(-1)?.message === 'a certificate was obtained', 'the end');
  expect(node.entries.map(({ level, message }) => `${level}: ${message}`)).toEqual([
    'info: a certificate is ordered',
    'info: an account was made at the authority',
    'info: a certificate was obtained',
  ]);
  expect(node.entries[1]).toMatchObject({ terms: 'https://ca.test/terms' });
  expect(node.entries[2]).toMatchObject({
    host: 'shop.test',
    issuer: 'CN=Test intermediate',
    until: '2026-04-01T00:00:00.000Z',
    renewal: '2026-03-01T23:40:00.000Z',
  });
  expect(JSON.stringify(node.entries)).not.toMatch(/PRIVATE KEY/);
});

test('a node that starts again shows what is kept, and asks the authority for nothing', async () => {
  await using at = await start();
  const first = await at.node();
  await until(() => first.shown.length === 1, 'the certificate');
  await first.ends();
  const asked = at.ca.asked.length;
  const second = await at.node();
  expect(second.shown).toEqual(first.shown);
  await at.pass(50 * DAY);
  expect(at.ca.asked.slice(asked).filter((resource) => resource !== 'directory')).toEqual([]);
  expect(at.ca.issued.length).toBe(1);
});

test('it is renewed with a third of its life left, and the new one is shown', async () => {
  await using at = await start();
  const node = await at.node();
  await until(() => node.shown.length === 1, 'the first');
  await at.pass(59 * DAY);
  expect(at.ca.issued.length).toBe(1);
  await at.pass(2 * DAY);
  await until(() => node.shown.length === 2, 'the second');
  expect(node.shown[1]).toEqual([at.ca.issued[1]!.chain]);
  await node.ends();
  expect((await at.node()).shown).toEqual([[at.ca.issued[1]!.chain]]);
});

test('it is renewed when the authority advises it, and says what it replaces (RFC 9773)', async () => {
  await using at = await start();
  const { clock, ca } = at;
  const far = { start: clock.wall() + 60 * DAY, end: clock.wall() + 61 * DAY, retryAfter: 21_600 };
  ca.advice = far;
  const node = await at.node();
  await until(() => node.shown.length === 1, 'the first');
  await at.pass(10 * DAY, HOUR);
  expect(ca.count('renewal')).toBeGreaterThan(20);
  ca.advice = { ...far, start: clock.wall() - DAY, end: clock.wall() - HOUR };
  const [first] = ca.issued;
  await until(async () => {
    await at.pass(HOUR, HOUR);
    return ca.issued.length === 2;
  }, 'the renewal');
  ca.advice = far;
  const serial = Buffer.from(serialOf(first!.chain), 'hex');
  const name = Buffer.from(String(ca.issued[1]!.replaces).split('.')[1]!, 'base64url');
  expect(name.subarray(-serial.length)).toEqual(serial);
  await at.pass(10 * DAY);
  expect(ca.issued.length).toBe(2);
});

test('an authority that always advises to renew is asked four times a day at most', async () => {
  await using at = await start();
  const { clock, ca } = at;
  ca.advice = { start: clock.wall() - 2 * DAY, end: clock.wall() - DAY, retryAfter: 60 };
  await at.node();
  await until(async () => {
    await at.pass(HOUR, HOUR);
    return ca.issued.length === 4;
  }, 'some renewals');
  expect(clock.wall() - Date.UTC(2026, 0, 1)).toBeGreaterThanOrEqual(18 * HOUR);
});

test('what fails is tried again after pauses, and told of once; then all is well', async () => {
  await using at = await start();
  at.ca.fail('order', ...Array(3).fill({ status: 500, type: 'serverInternal' }));
  const node = await at.node();
  await until(() => node.entries.some(({ level }) => level === 'error'), 'the failure');
  expect(node.entries.at(-1)).toMatchObject({
    level: 'error',
    message: 'a certificate could not be obtained',
    why: 'the authority refuses the order: serverInternal: because of a test',
    again: '2026-01-01T00:02:00.000Z',
  });
  for (const [minutes, orders] of [
    [1, 1],
    [2, 2],
    [8, 2],
    [2, 3],
    [28, 3],
    [3, 4],
  ] as const) {
    await at.pass(minutes * MINUTE, MINUTE);
    expect(at.ca.count('order'), `after ${minutes} minutes more`).toBe(orders);
  }
  await until(() => node.shown.length === 1, 'the certificate');
  await until(() => node.entries.at(-1)?.message === 'a certificate was obtained', 'the end');
  expect(node.entries.filter(({ level }) => level === 'error').length).toBe(1);
  expect(node.certificates.orders()).toEqual([
    { host: 'shop.test', result: 'ok', count: 1 },
    { host: 'shop.test', result: 'failed', count: 3 },
  ]);
});

test('a failure is told of once, also where the authority names a new token each time', async () => {
  await using at = await start();
  at.host.blind = true;
  const node = await at.node();
  await until(() => node.entries.some(({ level }) => level === 'error'), 'the failure');
  await at.pass(3 * HOUR, HOUR);
  expect(at.ca.count('order')).toBe(4);
  expect(node.entries.filter(({ level }) => level === 'error').length).toBe(1);
});

test('an authority that asks to be left alone is, also by a node that starts again', async () => {
  await using at = await start();
  at.ca.fail('order', { status: 429, type: 'rateLimited', retryAfter: String(5 * 3600) });
  const node = await at.node();
  await until(() => node.entries.some(({ level }) => level === 'error'), 'the failure');
  expect(node.entries.at(-1)).toMatchObject({
    why: 'the authority refuses the order: rateLimited: because of a test',
    again: '2026-01-01T05:00:00.000Z',
  });
  await at.pass(2 * HOUR, HOUR);
  await node.ends();
  const again = await at.node();
  await at.pass(2 * HOUR, HOUR);
  expect(at.ca.count('order')).toBe(1);
  await at.pass(2 * HOUR, HOUR);
  await until(() => again.shown.length === 1, 'the certificate');
});

test('while no new one is to be had the old one stays, and the log grows louder', async () => {
  await using at = await start();
  const node = await at.node();
  await until(() => node.shown.length === 1, 'the certificate');
  at.ca.fail('account', ...Array(2000).fill({ status: 503, type: 'serverInternal' }));
  await at.pass(60 * DAY);
  await until(() => node.entries.at(-1)?.level === 'warn', 'the warning');
  expect(node.entries.at(-1)).toMatchObject({
    message: 'a certificate could not be renewed',
    until: '2026-04-01T00:00:00.000Z',
  });
  await at.pass(14 * DAY);
  expect(node.entries.at(-1)).toMatchObject({ level: 'warn' });
  await at.pass(2 * DAY);
  expect(node.entries.at(-1)).toMatchObject({
    level: 'error',
    message: 'a certificate could not be obtained',
  });
  expect(node.entries.map(({ level }) => level)).toEqual(['info', 'info', 'info', 'info', 'warn', 'error']);
  expect(node.shown.length).toBe(1);
});

test('what is kept for another host, or damaged, is asked for anew', async () => {
  await using at = await start();
  const node = await at.node();
  await until(() => node.entries.at(-1)?.message === 'a certificate was obtained', 'the certificate');
  await node.ends();
  const file = join(filesOf(at), 'shop.test.pem');
  const kept = readFileSync(file, 'utf8');
  writeFileSync(join(filesOf(at), 'other.test.pem'), kept);
  writeFileSync(file, kept.slice(0, 300));
  const other = await at.node({ hosts: ['other.test', 'shop.test'] });
  await until(() => at.ca.issued.length === 3, 'both');
  const told = other.entries.filter(({ message }) => message === 'a certificate that was kept is of no use');
  expect(told.map(({ host }) => host).sort()).toEqual(['other.test', 'shop.test']);
  expect(told.map(({ why }) => why)).toContain("the certificate can't be used: it is not for other.test");
});

test('where certificates can not be kept none is ordered', async () => {
  await using at = await start();
  writeFileSync(join(at.folder.path, 'file'), '');
  const node = await at.node({ storage: join(at.folder.path, 'file') });
  await until(() => node.entries.length > 0, 'the failure');
  expect(node.entries).toMatchObject([
    { level: 'error', why: expect.stringMatching(/^the storage can't be used: /) },
  ]);
  expect(at.ca.asked).toEqual([]);
});

test('two processes that share a folder order once', async () => {
  await using at = await start();
  const clocks = [new ManualClock(), new ManualClock()];
  const nodes = await Promise.all(clocks.map((clock) => at.node({}, clock)));
  await until(() => nodes.some(({ shown }) => shown.length === 1), 'the first');
  await until(() => {
    for (const clock of clocks) clock.advance(1_000);
    return nodes.every(({ shown }) => shown.length === 1);
  }, 'both');
  expect(at.ca.issued.length).toBe(1);
  expect(nodes.flatMap(({ entries }) => entries.map(({ message }) => message)).sort()).toEqual([
    'a certificate is ordered',
    'a certificate that another process got is taken over',
    'a certificate was obtained',
    'an account was made at the authority',
  ]);
});

test('the end breaks off an order that hangs, leaves no timer, and lets the next process go on at once', async () => {
  await using at = await start();
  at.ca.fail('order', 'silence');
  const node = await at.node();
  await until(() => at.ca.count('order') === 1, 'the order');
  await node.ends();
  expect(node.entries.filter(({ level }) => level !== 'info')).toEqual([]);
  expect(at.clock.pending).toBe(0);
  const next = await at.node();
  await until(() => next.shown.length === 1, 'the certificate');
});

test('an authority that falls silent is given up after half a minute', async () => {
  await using at = await start();
  at.ca.fail('challenge', 'silence');
  const node = await at.node();
  await until(() => at.ca.count('challenge') === 1, 'the question');
  at.clock.advance(30_000);
  await until(() => node.entries.some(({ level }) => level === 'error'), 'the failure');
  expect(node.entries.at(-1)!.why).toMatch(/^localhost:\d+ could not be asked: no answer in 30000 ms$/);
});

test('hosts come and go with the config; the others are not touched', async () => {
  await using at = await start();
  const { certificates, shown } = await at.node({ hosts: ['a.test', 'b.test'] });
  await until(() => certificates.certificates.length === 2, 'two');
  await certificates.prepare(at.listeners({ hosts: ['b.test', 'c.test'] }));
  certificates.follow(at.listeners({ hosts: ['b.test', 'c.test'] }));
  await until(() => at.ca.issued.length === 3, 'the third');
  await until(() => certificates.certificates.length === 2, 'two again');
  expect(certificates.certificates.map(({ host }) => host).sort()).toEqual(['b.test', 'c.test']);
  certificates.follow([]);
  expect(certificates.certificates).toEqual([]);
  await until(() => at.clock.pending === 0, 'no timer');
  expect(shown.length).toBe(3);
  // What was kept is there when the host comes back.
  await certificates.prepare(at.listeners({ hosts: ['a.test'] }));
  expect(certificates.certificates.map(({ host }) => host)).toEqual(['a.test']);
});

test('another authority for a host: the certificate of the old one is shown until the new one is there', async () => {
  await using at = await start();
  const { certificates } = await at.node();
  await until(() => certificates.certificates.length === 1, 'the first');
  const [before] = certificates.certificates;
  await using next = await acmeServer({ reach: () => at.host.port, wall: () => at.clock.wall() });
  next.fail('order', 'cut');
  const other = at.listeners({ directory: next.directory, ca: next.ca });
  await certificates.prepare(other);
  certificates.follow(other);
  await until(() => certificates.orders()[1]!.count === 1, 'the failure');
  expect(certificates.certificates).toEqual([before]);
  await at.rests();
  at.clock.advance(2 * MINUTE);
  await until(() => certificates.certificates[0]!.cert === next.issued[0]?.chain, 'the second');
});

test('a certificate that has run out when it comes is of no use, and is not ordered again and again', async () => {
  await using at = await start();
  const late = new ManualClock(at.clock.wall() + 100 * DAY);
  const node = await at.node({}, late);
  await until(() => node.entries.some(({ level }) => level === 'error'), 'the failure');
  expect(node.entries.at(-1)!.why).toMatch(/is the clock of this machine right/);
  late.advance(MINUTE);
  await at.rests(0);
  expect(at.ca.count('order')).toBe(1);
  expect(node.shown).toEqual([]);
});

test.skipIf(process.getuid?.() === 0)('a folder that may not be written to is told of', async () => {
  await using at = await start();
  chmodSync(at.folder.path, 0o500);
  const node = await at.node();
  await until(() => node.entries.length > 0, 'the failure');
  expect(node.entries[0]!.why).toMatch(/EACCES/);
  chmodSync(at.folder.path, 0o700);
});
