import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock, until } from '../../src/testkit/index.ts';
import { bodyOf, header, json, replying, type Stage, stage } from './stage.ts';

describe('a call with each', () => {
  let on: Stage | undefined;
  afterEach(() => on?.close());

  const list = (value: unknown) => ({ list: json(value) });
  const over = (call: object, body?: string) => ({
    calls: {
      list: { to: 'list', path: '/list' },
      parts: { each: 'list.body', to: 'shop', path: '/p/{item.id}', ...call },
    },
    ...(body === undefined ? {} : { body }),
  });

  it('keeps the order of its items, and asks equal ones once', async () => {
    on = await stage(
      {
        ...list('[{"id":3},{"id":1},{"id":3.0},{"x":[{"b":1,"a":2}],"id":2},{"id":2,"x":[{"a":2,"b":1.0}]}]'),
        shop: replying((target) => json({ target })),
      },
      over({}, 'parts.map(p, p.body.target)'),
    );
    expect(bodyOf(await on.ask())).toEqual(['/p/3', '/p/1', '/p/3', '/p/2', '/p/2']);
    expect(on.asked('shop').sort()).toEqual(['/p/1', '/p/2', '/p/3']);
  });

  it('tells a text from a number', async () => {
    on = await stage({ ...list(['1', 1]), shop: json({}) }, over({ path: '/p/{item}' }));
    await on.ask();
    expect(on.asked('shop')).toEqual(['/p/1', '/p/1']);
  });

  it('asks nothing for null or an empty list', async () => {
    on = await stage({ list: [json('null'), json('[]')], shop: json({}) }, over({}));
    expect(bodyOf(await on.ask())).toEqual({ list: null, parts: [] });
    expect(bodyOf(await on.ask())).toEqual({ list: [], parts: [] });
    expect(on.asked('shop')).toEqual([]);
  });

  it.each([
    ['a text', '"abc"', {}],
    ['an object', '{"a":1}', {}],
    ['more than maxItems', '[1,2,3]', { maxItems: 2 }],
  ])('over %s is a failure, and nothing is sent', async (_what, text, more) => {
    on = await stage({ ...list(text), shop: json({}) }, over(more));
    expect(bodyOf(await on.ask())).toMatchObject({ call: 'parts', kind: 'expression' });
    expect(on.asked('shop')).toEqual([]);
  });

  it('over something else, where it may fail, is an empty list and a partial answer', async () => {
    on = await stage({ ...list('"abc"'), shop: json({}) }, over({ optional: true }, '{"n": size(parts)}'));
    const response = await on.ask();
    expect(header(response, 'tidegate-partial')).toBe('parts');
    expect(bodyOf(response)).toEqual({ n: 0 });
  });

  it('asks no more items at once than concurrency says, and the next as soon as one is there', async () => {
    const held: (() => void)[] = [];
    let most = 0;
    let now = 0;
    on = await stage(
      {
        ...list([1, 2, 3, 4, 5, 6, 7]),
        shop: async (exchange) => {
          most = Math.max(most, ++now);
          await new Promise<void>((resolve) => held.push(resolve));
          now--;
          await exchange.send(json({}));
        },
      },
      over({ path: '/p/{item}', concurrency: 3 }, 'size(parts)'),
    );
    const response = on.ask();
    for (let answered = 0; answered < 7; answered++) {
      await until(
        () => held.length > 0 && (held.length === 3 || answered > 4),
        'as many as may be are asked',
      );
      held.shift()!();
    }
    expect(bodyOf(await response)).toBe(7);
    expect(most).toBe(3);
  });

  it('takes the fallback of the item that failed', async () => {
    on = await stage(
      {
        ...list([{ id: 1 }, { id: 2 }]),
        shop: replying((target) => (target === '/p/1' ? json({}, 500) : json({ ok: 1 }))),
      },
      over(
        { optional: true, fallback: '{"sku": item.id}' },
        'parts.map(p, {"status": p.status, "body": p.body})',
      ),
    );
    const response = await on.ask();
    expect(header(response, 'tidegate-partial')).toBe('parts');
    expect(bodyOf(response)).toEqual([
      { status: 0, body: { sku: 1 } },
      { status: 200, body: { ok: 1 } },
    ]);
  });

  it('skips the items for which when is false; the answer is not partial', async () => {
    on = await stage(
      { ...list([{ id: 1 }, { id: 2 }, {}]), shop: replying((target) => json(target.slice(3))) },
      over({ when: 'item.id > 1' }),
    );
    const response = await on.ask();
    expect(header(response, 'tidegate-partial')).toBeUndefined();
    expect(bodyOf(response)).toEqual({ list: [{ id: 1 }, { id: 2 }, {}], parts: [null, 2, null] });
    expect(on.asked('shop')).toEqual(['/p/2']);
  });

  it('is skipped whole, without a look at its list, where when names no item', async () => {
    on = await stage({ ...list('"no list"'), shop: json({}) }, over({ when: 'false' }));
    expect(bodyOf(await on.ask())).toEqual({ list: 'no list', parts: [] });
  });

  it('calls an item what as says', async () => {
    on = await stage(
      { ...list([{ id: 1 }]), shop: json({}) },
      over({ as: 'product', path: '/x/{product.id}' }),
    );
    await on.ask();
    expect(on.asked('shop')).toEqual(['/x/1']);
  });

  it('fails whole where one item fails', async () => {
    on = await stage({ ...list([{ id: 1 }, { id: 2 }]), shop: [json({}), json({}, 404)] }, over({}));
    expect(bodyOf(await on.ask())).toMatchObject({ call: 'parts', kind: 'status' });
  });
});

describe('a batch', () => {
  let on: Stage | undefined;
  afterEach(() => on?.close());

  const batched = (batch: object, call: object = {}, body = 'parts.map(p, p.body)') => ({
    calls: {
      list: { to: 'list', path: '/list' },
      parts: {
        each: 'list.body',
        to: 'shop',
        path: '/p?ids={items.map(i, string(i.id)).join(",")}',
        batch: { key: 'item.id', ...batch },
        ...call,
      },
    },
    body,
  });
  const items = json([{ id: 3 }, { id: 1 }, { id: 2 }, { id: 3 }]);

  it('sends one call for all items, and hands each the part that has its key', async () => {
    on = await stage(
      { list: items, shop: json([{ id: 1, n: 'one' }, { id: 3, n: 'three' }, { id: 9 }]) },
      batched({ partKey: 'part.id' }),
    );
    expect(bodyOf(await on.ask())).toEqual([
      { id: 3, n: 'three' },
      { id: 1, n: 'one' },
      null,
      { id: 3, n: 'three' },
    ]);
    expect(on.asked('shop')).toEqual(['/p?ids=3%2C1%2C2']);
  });

  it('finds parts by the members of an object too, and in the place that parts names', async () => {
    on = await stage(
      { list: items, shop: json({ data: { 1: 'one', 2: 'two' } }) },
      batched({ parts: 'response.body.data' }),
    );
    expect(bodyOf(await on.ask())).toEqual([null, 'one', 'two', null]);
  });

  it('takes "1" and 1 for one key', async () => {
    on = await stage({ list: items, shop: json([{ id: '1', n: 'one' }]) }, batched({ partKey: 'part.id' }));
    expect(bodyOf(await on.ask())).toEqual([null, { id: '1', n: 'one' }, null, null]);
  });

  it('sends no more than size items in one call', async () => {
    on = await stage(
      {
        list: json(Array.from({ length: 5 }, (_, id) => ({ id }))),
        shop: replying((target) =>
          json(
            target
              .slice(7)
              .split('%2C')
              .map((id) => ({ id })),
          ),
        ),
      },
      batched({ partKey: 'part.id', size: 2 }, { concurrency: 1 }, 'parts.map(p, p.body.id)'),
    );
    expect(bodyOf(await on.ask())).toEqual(['0', '1', '2', '3', '4']);
    expect(on.asked('shop')).toEqual(['/p?ids=0%2C1', '/p?ids=2%2C3', '/p?ids=4']);
  });

  it('may send its items in a body', async () => {
    on = await stage(
      {
        list: items,
        shop: replying((_, { request }) =>
          json((JSON.parse(request.body.toString()) as number[]).map((id) => ({ id }))),
        ),
      },
      batched({ partKey: 'part.id' }, { path: '/p', method: 'POST', body: 'items.map(i, i.id)' }),
    );
    expect(bodyOf(await on.ask())).toEqual([{ id: 3 }, { id: 1 }, { id: 2 }, { id: 3 }]);
  });

  it.each([
    ['neither a list nor an object', json('"text"'), { partKey: 'part.id' }, 'expression'],
    ['a list without partKey', json('[]'), {}, 'expression'],
    ['a failed status', json('[]', 500), { partKey: 'part.id' }, 'status'],
    [
      'parts that are not there',
      json('{}'),
      { parts: 'response.body.data', partKey: 'part.id' },
      'expression',
    ],
  ])('fails on %s', async (_what, shop, batch, kind) => {
    on = await stage({ list: items, shop }, batched(batch));
    expect(bodyOf(await on.ask())).toMatchObject({ call: 'parts', kind });
  });

  it('gives each of its items the fallback where it may fail', async () => {
    on = await stage(
      { list: items, shop: json({}, 500) },
      batched({ partKey: 'part.id' }, { optional: true, fallback: 'item.id' }),
    );
    const response = await on.ask();
    expect(bodyOf(response)).toEqual([3, 1, 2, 3]);
    expect(header(response, 'tidegate-partial')).toBe('parts');
  });

  it('leaves out the items for which when is false', async () => {
    on = await stage(
      { list: items, shop: json([{ id: 3 }]) },
      batched({ partKey: 'part.id' }, { when: 'item.id > 2' }),
    );
    expect(bodyOf(await on.ask())).toEqual([{ id: 3 }, null, null, { id: 3 }]);
    expect(on.asked('shop')).toEqual(['/p?ids=3']);
  });
});

describe('a batch with a window', () => {
  let on: Stage | undefined;
  afterEach(() => on?.close());

  const aggregate = {
    calls: {
      list: { to: 'list', path: '/{params["*"]}' },
      parts: {
        each: 'list.body',
        to: 'shop',
        path: '/p?ids={items.map(i, string(i)).join(",")}',
        batch: { key: 'item', partKey: 'part.id', window: '10ms', size: 4 },
        optional: true,
      },
    },
    body: 'parts.map(p, p.body)',
  };
  const list = replying((target) => json(target.slice(1).split('-').map(Number)));
  const shop = replying((target) =>
    json(
      target
        .slice(7)
        .split('%2C')
        .map((id) => ({ id: Number(id) })),
    ),
  );
  const open = async (clock: ManualClock, count: number) => {
    await until(() => on!.origins.list!.requests.length === count, 'the lists are asked for');
    await until(() => clock.pending >= count, 'the items are gathered');
  };
  /** Both have their lists and wait: the gateway has read all that the service has sent. */
  const gathered = () => new Promise((resolve) => setTimeout(resolve, 50));

  it("asks for the items of several clients' requests at once, equal ones once, and parts them again", async () => {
    const clock = new ManualClock();
    on = await stage({ list, shop }, aggregate, { clock });
    const [one, two] = [on.ask('GET /page/1-2'), on.ask('GET /page/2-3')];
    await open(clock, 2);
    await gathered();
    clock.advance(10);
    expect(bodyOf(await one)).toEqual([{ id: 1 }, { id: 2 }]);
    expect(bodyOf(await two)).toEqual([{ id: 2 }, { id: 3 }]);
    expect(on.asked('shop').length).toBe(1);
    expect(on.asked('shop')[0]!.slice(7).split('%2C').sort()).toEqual(['1', '2', '3']);
  });

  it('does not wait on once it is full', async () => {
    on = await stage({ list, shop }, aggregate, { clock: new ManualClock() });
    expect(bodyOf(await on.ask('GET /page/1-2-3-4'))).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }]);
  });

  it('keeps clients apart who ask in another language', async () => {
    const clock = new ManualClock();
    on = await stage({ list, shop }, aggregate, { clock });
    const asked = ['de', 'fr'].map((language) => on!.ask('GET /page/1', [`Accept-Language: ${language}`]));
    await open(clock, 2);
    await gathered();
    clock.advance(10);
    for (const response of asked) expect(bodyOf(await response)).toEqual([{ id: 1 }]);
    expect(
      on.origins
        .shop!.requests.map(({ headers }) => headers.find(([name]) => /language/i.test(name))![1])
        .sort(),
    ).toEqual(['de', 'fr']);
  });

  it('lets each of them say itself what becomes of a failure: its parts, its answer, or nothing', async () => {
    const clock = new ManualClock();
    const { optional: _, ...parts } = aggregate.calls.parts;
    const onError = 'params["*"] == "1" ? "accept" : params["*"] == "2" ? "pass" : "null"';
    on = await stage(
      { list, shop: json([{ id: 1 }], 404) },
      { ...aggregate, calls: { ...aggregate.calls, parts: { ...parts, onError } } },
      { clock },
    );
    const asked = ['1', '2', '3'].map((id) => on!.ask(`GET /page/${id}`));
    await open(clock, 3);
    await gathered();
    clock.advance(10);
    const answers = (await Promise.all(asked)).map((response) => [response.status, bodyOf(response)]);
    expect(answers).toEqual([
      [200, [{ id: 1 }]],
      [404, [{ id: 1 }]],
      [200, [null]],
    ]);
    expect(on.asked('shop').length).toBe(1);
  });

  it('tells all of them where it fails', async () => {
    const clock = new ManualClock();
    on = await stage({ list, shop: json({}, 500) }, aggregate, { clock });
    const asked = [on.ask('GET /page/1'), on.ask('GET /page/2')];
    await open(clock, 2);
    await gathered();
    clock.advance(10);
    for (const response of asked) {
      expect(header(await response, 'tidegate-partial')).toBe('parts');
      expect(bodyOf(await response)).toEqual([null]);
    }
  });

  it('is over for a client at its own deadline, and goes on for the others', async () => {
    const clock = new ManualClock();
    const held: (() => void)[] = [];
    on = await stage(
      {
        list,
        shop: async (exchange) => {
          await new Promise<void>((resolve) => held.push(resolve));
          await exchange.send(json([{ id: 1 }, { id: 2 }]));
        },
      },
      { ...aggregate, deadline: '1s' },
      { clock },
    );
    const early = on.ask('GET /page/1');
    await open(clock, 1);
    await gathered();
    clock.advance(9);
    const late = on.ask('GET /page/2');
    await open(clock, 2);
    await gathered();
    clock.advance(1);
    await until(() => held.length === 1, 'they are asked for');
    clock.advance(990);
    expect(header(await early, 'tidegate-partial')).toBe('parts');
    held[0]!();
    expect(bodyOf(await late)).toEqual([{ id: 2 }]);
  });
});
