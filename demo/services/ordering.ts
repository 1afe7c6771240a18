/** Ordering: who bought what. VERSION=next is the release that beta testers get; it says when an order arrives. */
import type pg from 'pg';
import { pageOf, Refusal, serve } from './service.ts';

const pageSize = 10;
const states = ['placed', 'packed', 'shipped', 'delivered', 'cancelled'];
const next = process.env.VERSION === 'next';

const columns = `orders.id, customer_id as customer, status, placed_at as "placedAt", note,
  (select sum(quantity * unit_price)::float8 from order_lines where order_id = orders.id) as total
  ${next ? `, to_char(placed_at + interval '5 days', 'YYYY-MM-DD') as "arrives"` : ''}`;
const lineColumns = 'order_id as order, sku, quantity, unit_price::float8 as "unitPrice"';

interface Line {
  sku: string;
  quantity: number;
}

serve(next ? 'ordering-next' : 'ordering', {
  'GET /orders': async ({ query }, db) => {
    const page = pageOf(query);
    const customer = query.get('customer');
    const who = customer === null ? {} : await customerOf(db, customer);
    const { rows: orders } = await db.query(
      `select ${columns} from orders where $1::text is null or customer_id = $1 order by id desc limit $2 offset $3`,
      [customer, pageSize, (page - 1) * pageSize],
    );
    const { rows: items } = await db.query(
      `select ${lineColumns} from order_lines where order_id = any($1) order by order_id desc, position`,
      [orders.map(({ id }) => id)],
    );
    return { body: { ...who, page, orders, items } };
  },

  'GET /orders/{id}': async ({ params }, db) => ({ body: await orderOf(db, params.id) }),

  'PUT /orders/{id}': async ({ params, body }, db) => {
    const { status, note, lines } = fieldsOf(body);
    if (!states.includes(String(status))) throw new Refusal(422, `status is one of ${states.join(', ')}`);
    return inTransaction(db, async (client) => {
      const { rowCount } = await client.query(
        'update orders set status = $2, note = coalesce($3, note) where id::text = $1',
        [params.id, status, note ?? null],
      );
      if (rowCount === 0) throw new Refusal(404, `there is no order ${params.id}`);
      if (lines !== undefined) await replaceLines(client, Number(params.id), linesOf(lines));
      return { body: await orderOf(client, params.id) };
    });
  },

  'POST /orders': async ({ body }, db) => {
    const { customer, note, lines } = fieldsOf(body);
    const wanted = linesOf(lines);
    return inTransaction(db, async (client) => {
      const { customer: id } = await customerOf(client, String(customer));
      const { rows } = await client.query(
        'insert into orders (customer_id, status, note) values ($1, $2, $3) returning id',
        [id, 'placed', note ?? null],
      );
      await replaceLines(client, rows[0].id, wanted);
      const order = await orderOf(client, String(rows[0].id));
      // Relative, so that it holds under whatever prefix a gateway puts before it.
      return { status: 201, headers: { location: `orders/${rows[0].id}` }, body: order };
    });
  },
});

type Queries = Pick<pg.Pool, 'query'>;

async function orderOf(db: Queries, id: string | undefined): Promise<object> {
  const { rows } = await db.query(`select ${columns} from orders where id::text = $1`, [id]);
  if (rows.length === 0) throw new Refusal(404, `there is no order ${id}`);
  const { rows: lines } = await db.query(
    `select ${lineColumns} from order_lines where order_id = $1 order by position`,
    [rows[0].id],
  );
  return { ...rows[0], lines: lines.map(({ order: _, ...line }) => line) };
}

async function customerOf(db: Queries, id: string) {
  const { rows } = await db.query('select id as customer, name, tier from customers where id = $1', [id]);
  if (rows.length === 0) throw new Refusal(404, `there is no customer ${id}`);
  return rows[0] as { customer: string; name: string; tier: string };
}

function fieldsOf(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null) throw new Refusal(400, 'the body is a JSON object');
  return body as Record<string, unknown>;
}

function linesOf(value: unknown): Line[] {
  const fits = (line: Line) =>
    typeof line?.sku === 'string' && Number.isInteger(line.quantity) && line.quantity > 0;
  if (!Array.isArray(value) || value.length === 0 || !value.every(fits)) {
    throw new Refusal(422, 'lines is a list of { "sku", "quantity" }');
  }
  return value;
}

/** At today's prices. */
async function replaceLines(db: Queries, order: number, lines: Line[]): Promise<void> {
  await db.query('delete from order_lines where order_id = $1', [order]);
  for (const [position, { sku, quantity }] of lines.entries()) {
    const { rowCount } = await db.query(
      `insert into order_lines (order_id, position, sku, quantity, unit_price)
       select $1, $2, sku, $4, price from products where sku = $3`,
      [order, position, sku, quantity],
    );
    if (rowCount === 0) throw new Refusal(422, `there is no product ${sku}`);
  }
}

async function inTransaction<T>(db: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await db.connect();
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}
