import { afterEach, describe, expect, it } from 'vitest';
import { defineGateway, type RunningGateway, startGateway } from '../src/index.ts';
import { freePort, rawClient } from '../src/testkit/index.ts';

let running: RunningGateway | null = null;

afterEach(async () => {
  await running?.close();
  running = null;
});

function saying(body: string, listen: string | { name: string; address: string }[]) {
  return defineGateway({
    listen,
    admin: false,
    drain: { timeout: '100ms' },
    routes: { all: { match: '/*', respond: { body } } },
  });
}

async function ask(port: number): Promise<string> {
  using client = await rawClient(port);
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  return (await client.response()).body.toString();
}

describe('a gateway in a process of your own', () => {
  it('opens the addresses that a reload names, and drains those that it does not', async () => {
    const [first, second] = [await freePort(), await freePort()];
    running = await startGateway(saying('one', `127.0.0.1:${first}`));
    await running.reload(saying('two', `127.0.0.1:${second}`));
    expect(running.listeners).toEqual([{ name: 'main', host: '127.0.0.1', port: second }]);
    expect(await ask(second)).toBe('two');
    await expect(ask(first)).rejects.toThrow('ECONNREFUSED');
  });

  it('goes on on an address that only gets another name', async () => {
    const [first, second] = [await freePort(), await freePort()];
    running = await startGateway(saying('one', `127.0.0.1:${first}`));
    const both = [
      { name: 'new', address: `127.0.0.1:${second}` },
      { name: 'renamed', address: `127.0.0.1:${first}` },
    ];
    await running.reload(saying('two', both));
    expect([await ask(first), await ask(second)]).toEqual(['two', 'two']);
  });

  it('changes nothing where an address is taken', async () => {
    const port = await freePort();
    await using other = await startedElsewhere();
    running = await startGateway(saying('one', `127.0.0.1:${port}`));
    await expect(running.reload(saying('two', `127.0.0.1:${other.port}`))).rejects.toThrow(
      `cannot listen on 127.0.0.1:${other.port}: the port is taken by`,
    );
    expect(await ask(port)).toBe('one');
    expect(running.listeners).toEqual([{ name: 'main', host: '127.0.0.1', port }]);
  });

  it('is not opened again by a reload once it is closed', async () => {
    const gateway = await startGateway(saying('one', '127.0.0.1:0'));
    await gateway.close();
    await expect(gateway.reload(saying('two', '127.0.0.1:0'))).rejects.toThrow('the gateway is closed');
  });
});

async function startedElsewhere() {
  const gateway = await startGateway(saying('other', '127.0.0.1:0'));
  return {
    port: gateway.listeners[0]!.port,
    [Symbol.asyncDispose]: async () => void (await gateway.close()),
  };
}
