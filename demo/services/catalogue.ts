/** The catalogue: what the shop sells. VERSION=next is the release that is tried on some of the traffic. */
import { pageOf, Refusal, serve } from './service.ts';

const pageSize = 10;
const columns = 'sku, name, category, price::float8, currency, stock, description';

serve(process.env.VERSION === 'next' ? 'catalogue-next' : 'catalogue', {
  'GET /products': async ({ query }, db) => {
    const page = pageOf(query);
    const { rows } = await db.query(
      `select ${columns}, count(*) over ()::int as total from products
       where $1::text is null or category = $1 order by sku limit $2 offset $3`,
      [query.get('category'), pageSize, (page - 1) * pageSize],
    );
    const total: number = rows[0]?.total ?? 0;
    const items = rows.map(({ total: _, ...product }) => product);
    return { body: { page, pages: Math.ceil(total / pageSize), total, items } };
  },

  'GET /products/{sku}': async ({ params }, db) => {
    const { rows } = await db.query(`select ${columns} from products where sku = $1`, [params.sku]);
    if (rows.length === 0) throw new Refusal(404, `there is no product ${params.sku}`);
    return { body: rows[0] };
  },

  'GET /categories': async (_request, db) => {
    const { rows } = await db.query(
      `select category as name, count(*)::int as products, min(price)::float8 as "from"
       from products group by category order by category`,
    );
    return { body: rows };
  },
});
