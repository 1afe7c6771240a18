import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  answer,
  freePort,
  rawClient,
  type Script,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
} from '../../src/testkit/index.ts';
import { bodyOf, header, json } from './stage.ts';

/** How each kind of failure is brought about, and what `error.status` is then. */
const KINDS: Record<string, { script?: Script; call?: object; status: number; passes: string | null }> = {
  refused: { status: 0, passes: null },
  reset: { script: ({ connection }) => connection.reset(), status: 0, passes: null },
  timeout: { script: () => {}, call: { timeout: '60ms' }, status: 0, passes: null },
  status: { script: json({ no: 1 }, 404), status: 404, passes: '{"no":1}' },
  notJson: { script: answer(200, [['Content-Type', 'text/plain']], 'oops'), status: 200, passes: 'oops' },
  truncated: {
    script: async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":');
      exchange.connection.end();
    },
    status: 200,
    passes: null,
  },
  tooLarge: { script: json({ much: 'too much' }), call: { maxBody: '10B' }, status: 200, passes: null },
  invalid: {
    script: 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
    status: 0,
    passes: null,
  },
  expression: { script: json({}), call: { path: '/x/{good.body.missing}' }, status: 0, passes: null },
};

type Outcome = 'fails' | 'null' | 'fallback' | 'passes' | 'accepted';

/** What a call says of its failures, and what becomes of them. */
const MODES: Record<string, { call: object; outcome: Outcome }> = {
  required: { call: {}, outcome: 'fails' },
  optional: { call: { optional: true }, outcome: 'null' },
  optionalWithFallback: { call: { optional: true, fallback: 'good.body.spare' }, outcome: 'fallback' },
  optionalWithValue: { call: { optional: true, fallback: ['spare'] }, outcome: 'fallback' },
  fail: { call: { onError: 'fail' }, outcome: 'fails' },
  null: { call: { onError: null, fallback: ['spare'] }, outcome: 'null' },
  nullWord: { call: { onError: 'null', fallback: ['spare'] }, outcome: 'null' },
  fallback: { call: { onError: 'fallback', fallback: ['spare'] }, outcome: 'fallback' },
  fallbackWithout: { call: { onError: 'fallback' }, outcome: 'null' },
  pass: { call: { onError: 'pass' }, outcome: 'passes' },
  yieldsFail: { call: { onError: 'error.kind == "none" ? "null" : "fail"' }, outcome: 'fails' },
  yieldsNull: { call: { onError: 'error.call == "part" ? "null" : "fail"' }, outcome: 'null' },
  yieldsNothing: { call: { onError: 'error.call == "part" ? null : "fail"' }, outcome: 'null' },
  yieldsFallback: { call: { onError: '"fallback"', fallback: ['spare'] }, outcome: 'fallback' },
  yieldsPass: { call: { onError: '"pa" + "ss"' }, outcome: 'passes' },
  yieldsAccept: { call: { onError: 'error.kind != "" ? "accept" : "fail"' }, outcome: 'accepted' },
  yieldsNonsense: { call: { onError: '"nonsense" + error.kind' }, outcome: 'fails' },
  cannotTell: { call: { onError: 'error.kind == good.body.missing ? "null" : "null"' }, outcome: 'fails' },
  optionalFail: { call: { optional: true, onError: 'fail' }, outcome: 'null' },
  optionalPass: { call: { optional: true, onError: 'pass' }, outcome: 'passes' },
  optionalAccept: { call: { optional: true, onError: '"accept"' }, outcome: 'accepted' },
};

const cases = Object.keys(KINDS).flatMap((kind) => Object.keys(MODES).map((mode) => [kind, mode] as const));

describe('a call that fails', () => {
  const origins: ScriptedOrigin[] = [];
  let gateway: TestGateway;
  let good: ScriptedOrigin;

  beforeAll(async () => {
    good = await scriptedOrigin(json({ spare: ['spare'] }));
    origins.push(good);
    const services: Record<string, object> = { good: { url: good.url } };
    const routes: Record<string, object> = {};
    const own = { retries: 'none', health: { passive: 'none' } };
    for (const [kind, { script }] of Object.entries(KINDS)) {
      const origin = script === undefined ? null : await scriptedOrigin(script);
      if (origin !== null) origins.push(origin);
      services[kind] = { url: origin?.url ?? `http://127.0.0.1:${await freePort()}`, ...own };
    }
    for (const [kind, mode] of cases) {
      routes[`${kind}-${mode}`] = {
        match: `/${kind}/${mode}`,
        aggregate: {
          calls: {
            good: { to: 'good', path: '/good' },
            part: { to: kind, path: '/part', ...KINDS[kind]!.call, ...MODES[mode]!.call },
          },
          body: '{"good": good.body.spare, "part": part.body, "status": part.status}',
        },
      };
    }
    gateway = await startTestGateway({ services, routes });
  });
  afterAll(async () => {
    await gateway.close();
    for (const origin of origins) await origin.close();
  });

  it.each(cases)('%s, %s', async (kind, mode) => {
    const client = await rawClient({ port: gateway.port });
    await client.send(`GET /${kind}/${mode} HTTP/1.1\r\nHost: shop.test\r\n\r\n`);
    const response = await client.response();
    client.close();
    const { passes, status } = KINDS[kind]!;
    const { call, outcome } = MODES[mode]!;
    const isOptional = 'optional' in call;
    const expected = outcome === 'passes' && passes === null ? (isOptional ? 'null' : 'fails') : outcome;
    switch (expected) {
      case 'fails':
        expect(response.status).toBe(kind === 'timeout' ? 504 : 502);
        expect(header(response, 'content-type')).toBe('application/problem+json');
        expect(bodyOf(response)).toMatchObject({ call: 'part', kind });
        expect(response.body.toString()).not.toMatch(/127\.0\.0\.1|ECONN/);
        break;
      case 'null':
      case 'fallback':
        expect(response.status).toBe(200);
        expect(header(response, 'tidegate-partial')).toBe('part');
        expect(header(response, 'cache-control')).toBe('no-store');
        expect(bodyOf(response)).toEqual({
          good: ['spare'],
          part: expected === 'null' ? null : ['spare'],
          status: 0,
        });
        break;
      case 'passes':
        expect(response.status).toBe(status);
        expect(response.body.toString()).toBe(passes);
        expect(header(response, 'tidegate-partial')).toBeUndefined();
        break;
      case 'accepted':
        expect(response.status).toBe(200);
        expect(header(response, 'tidegate-partial')).toBeUndefined();
        expect(bodyOf(response)).toEqual({
          good: ['spare'],
          part: kind === 'status' ? { no: 1 } : null,
          status,
        });
    }
  });
});
