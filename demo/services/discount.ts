/** Discounts: what a customer of a tier gets on top. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal, serve } from './service.ts';

const columns = `offers.id, title, tier, percent, category, to_char(valid_until, 'YYYY-MM-DD') as "validUntil"`;

const longestDelay = 5000;

/** Closed, it has no offers for anyone: to see what becomes of those who ask. */
let open = true;

serve('discount', {
  'PUT /open': async ({ body }) => {
    open = body === true;
    return { body: { open } };
  },

  /** A tier gets its own offers and those of the tiers below it; `delay` (milliseconds) makes it slow. */
  'GET /offers': async ({ query }, db) => {
    if (!open) throw new Refusal(503, 'there are no offers for now');
    await sleep(Math.min(Number(query.get('delay') ?? 0) || 0, longestDelay));
    const tier = query.get('tier');
    const known = await db.query('select rank from tiers where name = $1', [tier]);
    if (tier !== null && known.rows.length === 0) throw new Refusal(404, `there is no tier ${tier}`);
    const { rows } = await db.query(
      `select ${columns} from offers join tiers on tiers.name = offers.tier
       where $1::int is null or rank <= $1 order by percent desc, offers.id`,
      [known.rows[0]?.rank ?? null],
    );
    return { body: rows };
  },

  'GET /offers/{id}': async ({ params }, db) => {
    const { rows } = await db.query(`select ${columns} from offers where id::text = $1`, [params.id]);
    if (rows.length === 0) throw new Refusal(404, `there is no offer ${params.id}`);
    return { body: rows[0] };
  },

  'GET /tiers': async (_request, db) => {
    const { rows } = await db.query('select name, rank, spend_from as "spendFrom" from tiers order by rank');
    return { body: rows };
  },
});
