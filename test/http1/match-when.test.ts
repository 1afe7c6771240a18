import { afterEach, describe, expect, it } from 'vitest';
import { rawClient, startTestGateway, type TestGateway } from '../../src/testkit/index.ts';
import { request } from './stage.ts';

let gateway: TestGateway;
afterEach(() => gateway.close());

async function ask(path: string): Promise<string> {
  const client = await rawClient({ port: gateway.port });
  await client.send(request(`GET ${path} HTTP/1.1`));
  const response = await client.response();
  client.close();
  return response.status === 200 ? response.body.toString() : String(response.status);
}

describe('any CEL in when (one that fails does not match)', () => {
  it('reads the parameters of the path, and leaves the next route its own', async () => {
    gateway = await startTestGateway({
      routes: {
        large: {
          match: { path: '/orders/{id}', when: 'int(params.id) > 100' },
          respond: { template: 'large {params.id}' },
        },
        other: { match: '/orders/{name}', respond: { template: 'other {params.name}' } },
        rest: {
          match: { path: '/files/*', when: 'params["*"].endsWith(".png")' },
          respond: { body: 'picture' },
        },
      },
    });
    expect(await ask('/orders/101')).toBe('large 101');
    expect(await ask('/orders/100')).toBe('other 100');
    expect(await ask('/orders/abc')).toBe('other abc');
    expect(await ask('/files/a/b.png')).toBe('picture');
    expect(await ask('/files/a')).toBe('404');
  });
});
