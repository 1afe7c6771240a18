import { describe, expect, it } from 'vitest';
import { loadObject } from '../../src/config/index.ts';
import { explainRequest } from '../../src/snapshot/index.ts';

describe('the explanation of an aggregate', () => {
  const { config } = loadObject(
    {
      services: { ordering: { url: 'http://127.0.0.1:1' }, discount: { url: 'http://127.0.0.1:2' } },
      routes: {
        orders: { match: '/orders/*', to: 'ordering' },
        page: {
          match: '/page/{customer}',
          aggregate: {
            calls: {
              orders: { to: 'ordering', path: '/orders?customer={params.customer}' },
              offers: { to: ['discount', 'ordering'], path: '/offers?{orders.body.tier}', optional: true },
              lines: {
                each: 'orders.body.lines',
                to: 'ordering',
                path: '/lines',
                when: 'item.id > 1',
                batch: { key: 'item.id', partKey: 'part.id' },
              },
              placed: {
                route: 'orders',
                path: '/orders/1',
                method: 'POST',
                onError: 'null',
                compensate: { to: 'ordering', path: '/undo' },
              },
              paid: { to: 'ordering', path: '/pay', method: 'POST' },
            },
            deadline: 'none',
          },
        },
      },
    },
    '.',
    { env: {} },
  );

  it('names each call, what it asks, and what it waits for, for programs too', () => {
    const { plan, route, status } = explainRequest(config!, { method: 'GET', url: '/page/7', headers: [] });
    expect([route, status]).toEqual(['page', null]);
    expect(plan).toMatchObject({
      deadline: null,
      stages: [
        ['orders', 'placed'],
        ['offers', 'lines', 'paid'],
      ],
      calls: [
        {
          call: 'orders',
          service: 'ordering',
          route: null,
          method: 'GET',
          path: '/orders?customer={params.customer}',
          after: [],
          asks: 'once',
          optional: false,
          onError: 'fail',
        },
        { call: 'offers', service: 'discount or ordering', after: ['orders'], optional: true },
        { call: 'lines', asks: 'batch', each: 'orders.body.lines', when: 'item.id > 1', after: ['orders'] },
        {
          call: 'placed',
          service: null,
          route: 'orders',
          method: 'POST',
          onError: 'null',
          compensated: true,
        },
        { call: 'paid', after: ['placed'] },
      ],
    });
  });

  it('is null for other routes', () => {
    expect(explainRequest(config!, { method: 'GET', url: '/orders/7', headers: [] }).plan).toBeNull();
  });
});
