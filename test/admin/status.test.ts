/** What a node says of itself, of a gateway as it is run. */
import { expect, test } from 'vitest';
import { adminNode, ask } from './node.ts';

test('listeners on port 0 are told by the ports that the system has chosen', async () => {
  const listen = [
    { name: 'one', address: '127.0.0.1:0' },
    { name: 'two', address: '127.0.0.1:0' },
  ];
  await using node = await adminNode({ listen });
  const { listeners } = JSON.parse((await node.api('/v1/status')).text) as {
    listeners: { name: string; address: string }[];
  };
  expect(listeners.map(({ name }) => name)).toEqual(['one', 'two']);
  for (const { address } of listeners)
    expect((await ask(Number(address.split(':')[1]), '/hello')).text).toBe('hello');
});
