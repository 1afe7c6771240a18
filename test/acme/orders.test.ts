/** One order, from the first question to the certificate, and how it can go wrong. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Proofs } from '../../src/acme/index.ts';
import { type OrderParts, orderCertificate } from '../../src/acme/order/index.ts';
import type { AcmeConfig } from '../../src/config/model.ts';
import { type AcmeServer, acmeServer } from '../../src/testkit/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import { acmeConfig, type ProofHost, proofHost } from './stage.ts';

const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

let host: ProofHost;
let ca: AcmeServer;
let account: KeyObject;
beforeAll(async () => {
  host = await proofHost();
  ca = await acmeServer({ reach: () => host.port });
  account = newKey();
});
afterAll(async () => {
  await ca.close();
  await host[Symbol.asyncDispose]();
});

const show = async (proofs: Proofs) => {
  host.proofs = proofs;
  return () => {
    host.proofs = { http: {}, tls: {} };
  };
};

function order(more: Partial<OrderParts> = {}, config: Partial<AcmeConfig> = {}, authority = ca) {
  return orderCertificate('shop.test', acmeConfig(authority, '/nowhere', config), {
    account,
    clock: systemClock,
    signal: new AbortController().signal,
    prove: show,
    replaced: null,
    joined: () => {},
    ...more,
  });
}

describe('an order', () => {
  test('ends with a certificate, the chain behind it and a key of its own (RFC 8555 §7.4)', async () => {
    const { cert, key } = await order();
    const [leaf, intermediate] = cert
      .split(/(?<=-----END CERTIFICATE-----\n)/)
      .map((pem) => new X509Certificate(pem));
    expect(leaf!.checkHost('shop.test')).toBe('shop.test');
    expect(leaf!.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(leaf!.verify(intermediate!.publicKey)).toBe(true);
    expect(intermediate!.verify(new X509Certificate(ca.ca).publicKey)).toBe(true);
    expect((await order()).key).not.toBe(key);
  });

  test('asks for as little as it can: no nonce but the first (RFC 8555 §6.5)', async () => {
    const before = ca.asked.length;
    await order();
    expect(ca.asked.slice(before)).toEqual([
      'directory',
      'nonce',
      'account',
      'order',
      'authorization',
      'challenge',
      'authorization',
      'state',
      'finalize',
      'state',
      'certificate',
    ]);
  });

  test('makes one account for a key, and says to what terms that agrees', async () => {
    const terms: (string | null)[] = [];
    const own = { account: newKey(), joined: (url: string | null) => void terms.push(url) };
    await order(own);
    await order(own);
    expect(terms).toEqual(['https://ca.test/terms']);
  });

  test('goes on with another nonce where one is turned down, but not without end (RFC 8555 §6.5)', async () => {
    ca.badNonces = 4;
    await order();
    ca.badNonces = 100;
    await expect(order()).rejects.toThrow('the authority refuses the account: badNonce');
    ca.badNonces = 0;
  });

  test('waits for an authority that takes its time (RFC 8555 §7.4)', async () => {
    ca.worksFor = 2;
    const began = performance.now();
    await order();
    expect(performance.now() - began).toBeGreaterThan(900);
    ca.worksFor = 0;
  });

  test('shows the proof only as long as it is looked for', async () => {
    await order();
    expect(host.proofs.http).toEqual({});
    expect(host.asked.length).toBeGreaterThan(0);
  });

  test('takes a proof that the authority has already', async () => {
    ca.remembers = true;
    const asked = host.asked.length;
    await order();
    ca.remembers = false;
    expect(host.asked.length).toBe(asked);
  });
});

describe('an order fails, and says why, where', () => {
  test('the authority does not see the proof', async () => {
    const blind = { prove: async () => () => {} };
    await expect(order(blind)).rejects.toThrow(
      /^shop\.test could not be validated by http-01: unauthorized: invalid response from http:\/\/shop\.test\/[\w-]+: 404/,
    );
  });

  test.each([
    ['directory', /gives no directory of an ACME authority: rateLimited: because of a test$/],
    ['account', /^the authority refuses the account: rateLimited/],
    ['order', /^the authority refuses the order: rateLimited/],
    ['authorization', /^the authority tells nothing of its proof: rateLimited/],
    ['challenge', /^the authority does not look for the proof: rateLimited/],
    ['finalize', /^the authority refuses the request: rateLimited/],
    ['state', /^the order can't be looked at: rateLimited/],
    ['certificate', /^the certificate is not given: rateLimited/],
  ] as const)('%s is refused; it hands on how long to wait', async (resource, why) => {
    ca.fail(resource, { status: 429, type: 'rateLimited', retryAfter: '120' });
    const error = await order().catch((thrown) => thrown);
    expect(error.message).toMatch(why);
    expect(error).toMatchObject({ retryAfter: 120_000, type: 'rateLimited' });
  });

  test('the time to wait is a date (RFC 9110 §10.2.3)', async () => {
    const at = new Date(Date.now() + 3_600_000).toUTCString();
    ca.fail('order', { status: 503, type: 'rateLimited', retryAfter: at });
    const error = await order().catch((thrown) => thrown);
    expect(Math.abs(error.retryAfter - 3_600_000)).toBeLessThan(5_000);
  });

  test('the order itself becomes invalid', async () => {
    ca.spoils = { type: 'urn:ietf:params:acme:error:caa', detail: 'CAA forbids it' };
    await expect(order()).rejects.toThrow('the order: caa: CAA forbids it');
    ca.spoils = null;
  });

  test('the connection breaks', async () => {
    ca.fail('finalize', 'cut');
    await expect(order()).rejects.toThrow(/^localhost:\d+ could not be asked: socket hang up$/);
  });

  test('nobody is there', async () => {
    await expect(order({}, { directory: 'https://localhost:1/directory' })).rejects.toThrow(/ECONNREFUSED/);
  });

  test('the authority is not the one that is trusted', async () => {
    await expect(order({}, { ca: null })).rejects.toThrow(/could not be asked: (?:self-signed|unable to)/);
  });

  test('an answer comes too late', async () => {
    ca.fail('order', 'silence');
    await expect(order({ deadline: 50 })).rejects.toThrow(/no answer in 50 ms/);
  });

  test('it is broken off', async () => {
    const end = new AbortController();
    ca.worksFor = 1000;
    const left = order({ signal: end.signal });
    const ended = expect(left).rejects.toThrow();
    while (ca.count('finalize') === 0 || ca.asked.at(-1) !== 'state') await new Promise(setImmediate);
    end.abort();
    await ended;
    ca.worksFor = 0;
  });

  test('the authority offers only other proofs', async () => {
    await using other = await acmeServer({ reach: () => host.port, offers: ['dns-01'] });
    await expect(order({}, {}, other)).rejects.toThrow(
      'the authority does not offer http-01 for shop.test, but dns-01',
    );
  });
});

describe('an account that an authority keeps elsewhere (RFC 8555 §7.3.4)', () => {
  const key = Buffer.alloc(32, 7).toString('base64url');
  let bound: AcmeServer;
  beforeAll(async () => {
    bound = await acmeServer({ reach: () => host.port, bindings: { 'kid-1': key } });
  });
  afterAll(() => bound.close());

  test('is bound by the key that it gave', async () => {
    await order({ account: newKey() }, { eab: { kid: 'kid-1', key } }, bound);
  });

  test('must be named where the authority asks for one', async () => {
    await expect(order({ account: newKey() }, {}, bound)).rejects.toThrow('say eab: { kid, key }');
  });

  test('is not bound by another key', async () => {
    const wrong = { eab: { kid: 'kid-1', key: Buffer.alloc(32, 8).toString('base64url') } };
    await expect(order({ account: newKey() }, wrong, bound)).rejects.toThrow(
      /^the authority refuses the account/,
    );
  });
});

describe('what an order replaces (RFC 9773 §5)', () => {
  test('is said to authorities that want to know, and left out where it was replaced already', async () => {
    const { cert } = await order();
    const before = ca.issued.length;
    await order({ replaced: cert });
    ca.advice = { start: 0, end: 1, retryAfter: 60 };
    await order({ replaced: cert });
    ca.fail('order', { status: 409, type: 'alreadyReplaced' });
    await order({ replaced: cert });
    ca.advice = null;
    const told = ca.issued.slice(before).map(({ replaces }) => replaces);
    expect(told).toEqual([null, expect.stringMatching(/^[\w-]+\.[\w-]+$/), null]);
  });
});
