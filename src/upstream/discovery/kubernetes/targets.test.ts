import { describe, expect, it } from 'vitest';
import { endpointSlice } from '../../../testkit/index.ts';
import { NothingThere } from '../source.ts';
import { sliceOf } from './slice.ts';
import { targetsOf } from './targets.ts';

const HTTP = { name: 'http', port: 8080 };
const METRICS = { name: 'metrics', port: 9090 };
const ending = (address: string, serving = true) => ({
  addresses: [address],
  conditions: { ready: false, serving, terminating: true },
});

/** `host:port` of each target, or why there is none. */
function found(slices: object[], port: number | string | null = null): string[] | string {
  const targets = targetsOf(slices.map(sliceOf), { namespace: 'edge', name: 'shop', port });
  if (targets instanceof Error) return targets.message;
  return targets.map((target) => `${target.host}:${target.port}`);
}

describe('the targets of EndpointSlices', () => {
  it('are the ready endpoints of all slices, each once', () => {
    const slices = [
      endpointSlice('a', 8080, '10.0.0.1', '10.0.0.2'),
      endpointSlice('b', 8080, '10.0.0.2', '10.0.0.3'),
      endpointSlice('c', 8081, '10.0.0.3'),
      { ...endpointSlice('d', 8080, 'fd00::1'), addressType: 'IPv6' },
      { ...endpointSlice('e', 443, 'shop.example'), addressType: 'FQDN' },
    ];
    expect(found(slices)).toEqual([
      '10.0.0.1:8080',
      '10.0.0.2:8080',
      '10.0.0.3:8080',
      '10.0.0.3:8081',
      'fd00::1:8080',
      'shop.example:443',
    ]);
  });

  it('are those about whose readiness nothing is said, but none that is not ready', () => {
    const unsaid = { addresses: ['10.0.0.1'] };
    const ready = { addresses: ['10.0.0.2'], conditions: { ready: true } };
    const unready = { addresses: ['10.0.0.3'], conditions: { ready: false, serving: false } };
    expect(found([endpointSlice('a', 80, unsaid, ready, unready)])).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
  });

  it('are the serving ones that end only while no other is ready, in any slice', () => {
    const ends = endpointSlice('a', 80, ending('10.0.0.1'), ending('10.0.0.2', false));
    expect(found([ends])).toEqual(['10.0.0.1:80']);
    expect(found([ends, endpointSlice('b', 80, '10.0.0.3')])).toEqual(['10.0.0.3:80']);
    const published = {
      addresses: ['10.0.0.4'],
      conditions: { ready: true, serving: false, terminating: true },
    };
    expect(found([endpointSlice('c', 80, published, '10.0.0.5')])).toEqual(['10.0.0.5:80']);
  });

  it('are at the first address of each, since no more is defined', () => {
    expect(found([endpointSlice('a', 80, { addresses: ['10.0.0.1', '10.0.0.2'] })])).toEqual(['10.0.0.1:80']);
  });

  it('have the port that is named, whatever its number in each slice, or that has the number', () => {
    const old = endpointSlice('a', [METRICS, { ...HTTP, port: 8081 }], '10.0.0.1');
    const slices = [old, endpointSlice('b', [HTTP, METRICS], '10.0.0.2')];
    expect(found(slices, 'http')).toEqual(['10.0.0.1:8081', '10.0.0.2:8080']);
    expect(found(slices, 8080)).toEqual(['10.0.0.2:8080']);
    expect(found([endpointSlice('c', [{ name: 'any' }], '10.0.0.3')], 7000)).toEqual(['10.0.0.3:7000']);
  });

  it('have the only TCP port, where nothing is said', () => {
    const udp = { name: 'dns', port: 53, protocol: 'UDP' };
    expect(found([endpointSlice('a', [udp, { port: 8080 }], '10.0.0.1')])).toEqual(['10.0.0.1:8080']);
  });

  it('are none where no pod is ready, whatever the ports', () => {
    expect(found([endpointSlice('a', [HTTP, METRICS])], 'nosuch')).toEqual([]);
    expect(found([{ ...endpointSlice('a', []), ports: null, endpoints: null }])).toEqual([]);
  });

  it.each<[string, object[], number | string | null, string]>([
    [
      'several ports',
      [HTTP, METRICS],
      null,
      'the service edge/shop has several ports, so say which as "port": http (8080), metrics (9090)',
    ],
    ['no such name', [HTTP], 'web', 'the service edge/shop has no TCP port web, but http (8080)'],
    [
      'no such number',
      [{ port: 8080 }, METRICS],
      80,
      'the service edge/shop has no TCP port 80, but 8080, metrics (9090)',
    ],
    ['any port', [{ name: 'any' }], null, 'the service edge/shop has no TCP port, but any (any)'],
    ['no port', [], 80, 'the service edge/shop has no TCP port 80'],
  ])('cannot be told with %s', (_what, ports, port, message) => {
    expect(found([endpointSlice('a', ports, '10.0.0.1')], port)).toBe(message);
  });

  it('are not there where no slice is: then nobody knows the service', () => {
    const none = targetsOf([], { namespace: 'edge', name: 'shop', port: null });
    expect(none).toBeInstanceOf(NothingThere);
    expect(found([])).toBe('the service edge/shop has no EndpointSlice: is there such a service?');
  });
});

describe('an EndpointSlice that makes no sense', () => {
  const slice = endpointSlice('a', 80, '10.0.0.1');
  it.each<[string, unknown, string]>([
    ['nothing', null, 'an EndpointSlice has no name'],
    ['no name', { ...slice, metadata: {} }, 'an EndpointSlice has no name'],
    ['ports that are no list', { ...slice, ports: {} }, 'ports of the EndpointSlice "a" is not a list'],
    ['a port of 0', { ...slice, ports: [{ port: 0 }] }, 'the EndpointSlice "a" has a port that is none'],
    [
      'a name that is none',
      { ...slice, ports: [{ name: 1, port: 1 }] },
      'the EndpointSlice "a" has a port that is none',
    ],
    [
      'no address',
      { ...slice, endpoints: [{ addresses: [] }] },
      'the EndpointSlice "a" has an endpoint without an address to connect to',
    ],
    [
      'a URL',
      { ...slice, endpoints: [{ addresses: ['http://10.0.0.1'] }] },
      'the EndpointSlice "a" has an endpoint without an address to connect to',
    ],
  ])('is an error: %s', (_what, object, message) => {
    expect(() => sliceOf(object)).toThrow(message);
  });
});
