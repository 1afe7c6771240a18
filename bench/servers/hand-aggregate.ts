import fastify from 'fastify';
import { Pool } from 'undici';

/**
 * The same aggregates, written by hand as most teams would: a handler on Fastify that asks the three with fetch, or
 * with undici's Pool.request, and merges what they say.
 */
const [listen, origin] = process.argv.slice(2, 4).map(Number);
const how = process.argv[4];
const base = `http://127.0.0.1:${origin}`;
const pool = new Pool(base, { connections: 100 });

async function byFetch(path: string): Promise<unknown> {
  const response = await fetch(`${base}${path}`);
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

async function byPool(path: string): Promise<unknown> {
  const { statusCode, body } = await pool.request({ path, method: 'GET' });
  if (statusCode !== 200) throw new Error(`status ${statusCode}`);
  return body.json();
}

const ask = how === 'fetch' ? byFetch : byPool;
const app = fastify({ logger: false });

app.get('/three', async () => {
  const [orders, offers, products] = await Promise.all([
    ask('/part?orders'),
    ask('/part?offers'),
    ask('/part?products'),
  ]);
  return { orders, offers, products };
});
app.get('/each', async () => {
  const items = Array.from({ length: 100 }, (_, id) => id);
  return { items: await Promise.all(items.map((id) => ask(`/items/${id}`))) };
});
await app.listen({ port: listen!, host: '127.0.0.1', backlog: 1024 });
