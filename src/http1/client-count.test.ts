import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { ClientCount } from './client-count.ts';

/** What the node is told, as how many connections of a client it knows of. */
function setUp() {
  const onNode = new Map<string, number>();
  const add = (client: string, more: number) => {
    onNode.set(client, (onNode.get(client) ?? 0) + more);
    return onNode.get(client)!;
  };
  const count = new ClientCount('front', {
    entered: async (client) => add(client, 1),
    left: (client) => void add(client, -1),
  });
  const open = (address: string) => {
    const socket = Object.assign(new EventEmitter(), { destroy: () => socket.emit('close') });
    return { socket, admitted: count.admit(socket as unknown as Socket, address) };
  };
  return { count, onNode: () => Object.fromEntries(onNode), open };
}

it('tells the node of what is open when a bound comes, and takes it back when that goes', () => {
  const { count, onNode, open } = setUp();
  const first = open('10.0.0.1');
  open('10.0.0.1');
  open('10.0.0.2');
  expect(onNode()).toEqual({});
  count.bound(3);
  expect(onNode()).toEqual({ 'front 10.0.0.1': 2, 'front 10.0.0.2': 1 });
  first.socket.destroy();
  count.bound(2);
  expect(onNode()).toEqual({ 'front 10.0.0.1': 1, 'front 10.0.0.2': 1 });
  expect([open('10.0.0.1').admitted, open('10.0.0.1').admitted]).toEqual([true, false]);
  count.bound(Number.POSITIVE_INFINITY);
  expect(onNode()).toEqual({ 'front 10.0.0.1': 0, 'front 10.0.0.2': 0 });
});
