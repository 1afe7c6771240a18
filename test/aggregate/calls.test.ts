import { afterEach, describe, expect, it } from 'vitest';
import { bodyOf, header, json, replying, type Stage, stage } from './stage.ts';

describe('an aggregate', () => {
  let on: Stage | undefined;
  afterEach(() => on?.close());

  it('answers with the body of each call under its name', async () => {
    on = await stage(
      { ordering: json({ id: 1 }), discount: json([{ id: 2 }]) },
      { calls: { orders: { to: 'ordering', path: '/orders' }, offers: { to: 'discount', path: '/offers' } } },
    );
    const response = await on.ask();
    expect(response.status).toBe(200);
    expect(header(response, 'content-type')).toBe('application/json');
    expect(response.body.toString()).toBe('{"orders":{"id":1},"offers":[{"id":2}]}');
  });

  it('lets a call that names another one wait for it, and asks for each item of a list', async () => {
    on = await stage(
      {
        ordering: json({ tier: 'gold', items: [{ sku: 'A' }, { sku: 'B' }, { sku: 'A' }] }),
        discount: json([{ id: 2 }]),
        catalogue: replying((target) => json({ target })),
      },
      {
        calls: {
          orders: { to: 'ordering', path: '/orders?customer={params["*"]}' },
          offers: { to: 'discount', path: '/offers?tier={orders.body.tier}', optional: true, fallback: [] },
          products: { each: 'orders.body.items', to: 'catalogue', path: '/products/{item.sku}' },
        },
        body: '{"orders": orders.body.items, "offers": offers.body, "products": products.map(p, p.body)}',
      },
    );
    const response = await on.ask('GET /page/7');
    expect(bodyOf(response)).toEqual({
      orders: [{ sku: 'A' }, { sku: 'B' }, { sku: 'A' }],
      offers: [{ id: 2 }],
      products: [{ target: '/products/A' }, { target: '/products/B' }, { target: '/products/A' }],
    });
    expect(on.asked('ordering')).toEqual(['/orders?customer=7']);
    expect(on.asked('discount')).toEqual(['/offers?tier=gold']);
    expect(on.asked('catalogue').sort()).toEqual(['/products/A', '/products/B']);
  });

  it('answers 502 and names the call where a required one fails, without an address', async () => {
    on = await stage({ ordering: json({}, 500) }, { calls: { orders: { to: 'ordering', path: '/orders' } } });
    const response = await on.ask();
    expect(response.status).toBe(502);
    expect(bodyOf(response)).toMatchObject({ code: 'TG_CALL_FAILED', call: 'orders', kind: 'status' });
    expect(response.body.toString()).not.toContain('127.0.0.1');
  });

  it('names an optional call that failed in tidegate-partial, and puts its fallback in its place', async () => {
    on = await stage(
      { ordering: json({ a: 1 }), discount: json('nothing like JSON') },
      {
        calls: {
          orders: { to: 'ordering', path: '/orders' },
          offers: { to: 'discount', path: '/offers', optional: true, fallback: '[orders.body.a]' },
        },
      },
    );
    const response = await on.ask();
    expect(response.status).toBe(200);
    expect(header(response, 'tidegate-partial')).toBe('offers');
    expect(bodyOf(response)).toEqual({ orders: { a: 1 }, offers: [1] });
  });

  it('asks another route in-process, as a client would', async () => {
    on = await stage(
      { ordering: replying((target) => json({ target })) },
      {
        calls: {
          one: { route: 'orders', path: '/o/{params["*"]}' },
          two: { route: 'orders', path: '/other', optional: true },
        },
      },
      { routes: { orders: { match: '/o/*', to: { service: 'ordering', path: '/orders/*' } } } },
    );
    const response = await on.ask('GET /page/7');
    expect(bodyOf(response)).toEqual({ one: { target: '/orders/7' }, two: null });
  });

  it('sends a body as JSON, made of the body of the request', async () => {
    on = await stage(
      {
        ordering: replying((_, { request }) =>
          json({ got: JSON.parse(request.body.toString()), method: request.method }),
        ),
      },
      {
        calls: {
          order: { to: 'ordering', path: '/orders', method: 'POST', body: '{"sku": request.body.sku}' },
        },
      },
      { route: { match: { path: '/page/*', method: 'POST' } } },
    );
    const response = await on.ask('POST /page/1', [], '{"sku": 12345678901234567890}');
    expect(response.status).toBe(200);
    expect(response.body.toString()).toContain('"sku":12345678901234567000');
    const request = on.origins.ordering!.requests[0]!;
    expect(request.body.toString()).toBe('{"sku":12345678901234567890}');
  });
});
