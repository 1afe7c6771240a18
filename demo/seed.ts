/** Fills the shop: the same few hundred products, customers and orders at every start. */
import pg from 'pg';
import { categories, customerNames, offers, tiers } from './assortment.ts';

const schema = `
  create table products (
    sku text primary key, name text not null, category text not null, price numeric(10, 2) not null,
    currency text not null, stock int not null, description text not null);
  create index on products (category);
  create table tiers (name text primary key, rank int not null, spend_from int not null);
  create table customers (id text primary key, name text not null, tier text not null references tiers);
  create table offers (
    id int primary key, title text not null, tier text not null references tiers, percent int not null,
    category text, valid_until date not null);
  create table orders (
    id serial primary key, customer_id text not null references customers, status text not null,
    placed_at timestamptz not null default now(), note text);
  create index on orders (customer_id);
  create table permissions (subject text not null, permission text not null, primary key (subject, permission));
  create table order_lines (
    order_id int not null references orders, position int not null, sku text not null references products,
    quantity int not null, unit_price numeric(10, 2) not null, primary key (order_id, position));`;

/** Ada may see and place orders; Bela may not. */
const permissions = [
  { subject: 'ada-lindqvist', permission: 'orders:read' },
  { subject: 'ada-lindqvist', permission: 'orders:write' },
  { subject: 'bela-novak', permission: 'offers:read' },
];

const productsPerCategory = 40;
const orderCount = 480;

export interface Stock {
  products: number;
  customers: number;
  orders: number;
}

export async function seed(url: string): Promise<Stock> {
  const client = new pg.Client({ connectionString: url });
  // A server that goes away fails the query under way, which is where it is heard of.
  client.on('error', () => {});
  await client.connect();
  try {
    const dice = new Dice(20);
    const products = makeProducts(dice);
    const customers = makeCustomers(dice);
    const { orders, lines } = makeOrders(dice, products, customers);
    await client.query(schema);
    const rows = { permissions, tiers, products, customers, offers, orders, order_lines: lines };
    for (const [table, values] of Object.entries(rows)) await insert(client, table, values);
    await client.query(`select setval('orders_id_seq', $1)`, [orders.length]);
    await client.query('analyze');
    return { products: products.length, customers: customers.length, orders: orders.length };
  } finally {
    await client.end();
  }
}

async function insert(client: pg.Client, table: string, rows: object[]): Promise<void> {
  await client.query(`insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1)`, [
    JSON.stringify(rows),
  ]);
}

/** Throws alike at every start (mulberry32). */
class Dice {
  private state: number;

  constructor(state: number) {
    this.state = state;
  }

  /** A whole number from 0 to below `sides`. */
  roll(sides: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * sides);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.roll(list.length)] as T;
  }
}

type Product = ReturnType<typeof makeProducts>[number];
type Customer = ReturnType<typeof makeCustomers>[number];

function makeProducts(dice: Dice) {
  return categories.flatMap(({ category, prefix, kinds, materials, from, to }) =>
    Array.from({ length: productsPerCategory }, (_, index) => {
      const kind = kinds[index % kinds.length] as string;
      const material = materials[(index * 3 + Math.floor(index / kinds.length)) % materials.length] as string;
      return {
        sku: `${prefix}-${String(index + 1).padStart(3, '0')}`,
        name: `${material} ${kind}`,
        category,
        price: from + dice.roll(to - from) + dice.pick([0, 0.5, 0.9, 0.95]),
        currency: 'EUR',
        stock: dice.roll(120),
        description: `${kind[0]?.toUpperCase()}${kind.slice(1)} in ${material.toLowerCase()}, ${dice.pick([
          'made in small numbers',
          'built to be mended',
          'ready in two days',
          'a quiet classic',
          'new this season',
        ])}.`,
      };
    }),
  );
}

function makeCustomers(dice: Dice) {
  return customerNames.map((name, index) => ({
    id: name.toLowerCase().replaceAll(' ', '-'),
    name,
    tier:
      index === 0
        ? 'gold'
        : dice.pick(['bronze', 'bronze', 'bronze', 'silver', 'silver', 'gold', 'platinum']),
  }));
}

function makeOrders(dice: Dice, products: Product[], customers: Customer[]) {
  const orders = Array.from({ length: orderCount }, (_, index) => ({
    id: index + 1,
    customer_id: (customers[index] ?? dice.pick(customers)).id,
    status: statusOf(index, dice),
    placed_at: new Date(Date.now() - (orderCount - index) * 3 * 3_600_000).toISOString(),
    note: null,
  }));
  const lines = orders.flatMap(({ id }) => {
    const skus = new Set(Array.from({ length: 1 + dice.roll(4) }, () => dice.pick(products)));
    return [...skus].map(({ sku, price }, position) => ({
      order_id: id,
      position,
      sku,
      quantity: 1 + dice.roll(3),
      unit_price: price,
    }));
  });
  return { orders, lines };
}

/** The older, the further. Order 1 waits to be shipped, so that there is something to change. */
function statusOf(index: number, dice: Dice): string {
  if (index === 0) return 'packed';
  if (dice.roll(25) === 0) return 'cancelled';
  if (index < orderCount - 60) return 'delivered';
  return dice.pick(index < orderCount - 25 ? ['shipped', 'shipped', 'packed'] : ['placed', 'packed']);
}
