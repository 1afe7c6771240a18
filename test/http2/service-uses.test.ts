import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Http2Origin,
  http2Origin,
  type RawResponse,
  rawClient,
  startTestGateway,
  type TestGateway,
  until,
} from '../../src/testkit/index.ts';
import { bareGateway } from '../bare-gateway.ts';

/** Whatever asks a service may ask one of HTTP/2: it stands behind the same contract. */
describe('a service in HTTP/2 is asked by', () => {
  let service: Http2Origin;
  let gateway: TestGateway;
  beforeAll(async () => {
    service = await http2Origin(({ stream, headers }) => {
      const [, what = ''] = headers[':path']!.split('/');
      stream.respond({ ':status': what === 'fails' ? 503 : 200, 'content-type': 'application/json' });
      stream.end(JSON.stringify({ what, method: headers[':method'] }));
    });
    gateway = await startTestGateway({
      services: {
        it: { url: service.url },
        gone: { url: 'h2c://127.0.0.1:1' },
        backup: { url: `${service.url}/instead` },
      },
      routes: {
        whole: {
          match: '/whole',
          aggregate: {
            calls: {
              one: { to: 'it', path: '/one' },
              many: { each: '[1, 2, 3]', as: 'n', to: 'it', path: '/n{n}' },
              made: { to: 'it', method: 'POST', path: '/made', body: '{"a": 1}' },
              lost: { to: 'gone', path: '/', optional: true },
            },
          },
        },
        copied: { match: '/copied', to: 'it', mirror: { to: 'it', percent: 100 } },
        helped: { match: '/fails', to: 'it', onStatus: { 503: { to: 'backup' } } },
        split: { match: '/split', to: [{ service: 'it', weight: 1, path: '/half' }] },
      },
    });
  });
  afterAll(async () => {
    await gateway.close();
    await service.close();
  });

  const ask = async (path: string): Promise<RawResponse> => {
    await using client = await rawClient({ port: gateway.port });
    await client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    return await client.response();
  };
  const askedFor = (path: string) => service.requests.filter(({ headers }) => headers[':path'] === path);

  it('the calls of an aggregate', async () => {
    const got = await ask('/whole');
    expect(JSON.parse(got.body.toString())).toEqual({
      one: { what: 'one', method: 'GET' },
      many: [1, 2, 3].map((n) => ({ what: `n${n}`, method: 'GET' })),
      made: { what: 'made', method: 'POST' },
      lost: null,
    });
  });

  it('a mirror', async () => {
    expect((await ask('/copied')).status).toBe(200);
    await until(() => askedFor('/copied').length === 2, 'the copy');
  });

  it('onStatus in place of another answer', async () => {
    expect(JSON.parse((await ask('/fails')).body.toString())).toMatchObject({ what: 'instead' });
  });

  it('a weighted split', async () => {
    expect(JSON.parse((await ask('/split')).body.toString())).toMatchObject({ what: 'half' });
  });

  it('whoever follows a name that stands for its targets', async () => {
    const config = {
      services: { shop: { discover: { dns: 'shop.internal', scheme: 'h2c', port: service.port } } },
      routes: { all: { match: '/*', to: 'shop' } },
    };
    const { gateway: following, port } = await bareGateway(config, {
      discover: (_, done) => done(null, [{ host: '127.0.0.1', port: service.port, weight: 1 }], 60_000),
    });
    await using client = await rawClient({ port });
    await client.send('GET /found HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(JSON.parse((await client.response()).body.toString())).toMatchObject({ what: 'found' });
    await following.drain(0);
  });
});
