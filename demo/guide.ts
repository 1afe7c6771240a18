import type { Options } from './options.ts';

interface Tip {
  what: string;
  /** Works as printed. */
  command: string;
}

export interface Running extends Options {
  /** By user. */
  tokens: Readonly<Record<string, string>>;
  /** Port of the auth server. */
  auth: string;
  /** URL of the database. */
  database: string;
}

/** What to try, each as one line for the shell. */
export function tips({ port, admin, tokens }: Running): Tip[] {
  const gateway = `http://127.0.0.1:${port}`;
  const order = `${gateway}/ordering/orders/1`;
  const bearer = (user: string) => `-H 'authorization: Bearer ${tokens[user]}'`;
  const ada = bearer('ada-lindqvist');
  return [
    {
      what: 'Ten lamps, by way of the catalogue service',
      command: `curl -s '${gateway}/catalogue/products?category=lighting'`,
    },
    { what: 'One product', command: `curl -s ${gateway}/catalogue/products/LAMP-001` },
    { what: 'What a gold customer is offered', command: `curl -s '${gateway}/discount/offers?tier=gold'` },
    {
      what: "A customer's orders",
      command: `curl -s '${gateway}/ordering/orders?customer=ada-lindqvist' ${ada}`,
    },
    {
      what: 'The same without a token: 401, and where to get one',
      command: `curl -si '${gateway}/ordering/orders?customer=ada-lindqvist'`,
    },
    {
      what: 'The same as Bela, who may not see orders: 403',
      command: `curl -si '${gateway}/ordering/orders?customer=ada-lindqvist' ${bearer('bela-novak')}`,
    },
    {
      what: 'An order, twice: Cache-Status says that the second answer comes from the cache',
      command: `curl -s -o /dev/null -D - ${order} -o /dev/null ${order} ${ada} | grep -i cache-status`,
    },
    {
      what: 'Ship an order: written to PostgreSQL through the gateway',
      command: `curl -s -X PUT ${order} ${ada} -H 'content-type: application/json' -d '{"status":"shipped"}'`,
    },
    { what: 'The next read sees it: the cache gave way', command: `curl -si ${order} ${ada}` },
    {
      what: 'Unseat whatever is kept under a tag',
      command: `curl -s http://127.0.0.1:${admin}/v1/purge -H 'content-type: application/json' -d '{"tags":["catalogue"]}'`,
    },
    {
      what: 'Place one: 201 with its location',
      command: `curl -si ${gateway}/ordering/orders ${ada} -H 'content-type: application/json' -d '{"customer":"ada-lindqvist","lines":[{"sku":"LAMP-001","quantity":2}]}'`,
    },
    {
      what: 'A customer at a glance: three services, one answer',
      command: `curl -si ${gateway}/overview/ada-lindqvist`,
    },
    {
      what: 'The same with slow discounts: answered in time, without offers (tidegate-partial)',
      command: `curl -si '${gateway}/overview/ada-lindqvist?delay=2000'`,
    },
    {
      what: 'The same without discounts at all; then they are back',
      command: `curl -s -X PUT ${gateway}/discount/open -d false; curl -si ${gateway}/overview/ada-lindqvist; curl -s -X PUT ${gateway}/discount/open -d true`,
    },
    {
      what: 'A header leads to the next release, which says when it arrives',
      command: `curl -si ${order} ${ada} -H 'x-beta: on'`,
    },
    {
      what: 'A weighted split: about 10 of 40 go to catalogue-next',
      command: `curl -s '${gateway}/canary/categories?n=[1-40]' -D - -o /dev/null | grep -i x-service | sort | uniq -c`,
    },
    {
      what: 'A service that is down: 502 as a problem document',
      command: `curl -si ${gateway}/warehouse/stock`,
    },
    { what: "An answer of the gateway's own", command: `curl -s ${gateway}/` },
    { what: 'A redirect of old links', command: `curl -sL ${gateway}/shop/LAMP-001` },
    { what: 'What the cache holds, and how Redis is', command: `curl -s http://127.0.0.1:${admin}/v1/cache` },
    { what: 'How the gateway itself is', command: `curl -s http://127.0.0.1:${admin}/v1/status` },
    { what: 'What it counts, for Prometheus', command: `curl -s http://127.0.0.1:${admin}/metrics` },
  ];
}

/** Statements that no service and no purge knows of. */
export function changes({ database }: Running): Tip[] {
  const sql = (statement: string) => `sh scripts/run.sh demo/sql.ts '${database}' "${statement}"`;
  return [
    { what: 'An order', command: sql("update orders set status = 'delivered' where id = 1") },
    { what: 'A price', command: sql("update products set price = price + 1 where sku = 'LAMP-001'") },
    {
      what: 'What Ada may do: she is shut out with her next request',
      command: sql("delete from permissions where subject = 'ada-lindqvist' and permission = 'orders:read'"),
    },
    {
      what: 'And let her in again',
      command: sql("insert into permissions values ('ada-lindqvist', 'orders:read')"),
    },
  ];
}

/** What stands on the terminal once all is up. */
export function guide(options: Running, paint: (text: string) => string): string {
  const tried = tips(options).map(({ what, command }) => `  ${what}\n    ${paint(command)}`);
  const ready = Object.entries(options.tokens).map(([user, token]) => `  ${user}: ${token}`);
  const dashboard = `http://127.0.0.1:${options.admin}/`;
  return `
The dashboard, in a browser:
  ${paint(dashboard)}

Tokens, for a day:
${ready.join('\n')}

Try, in another terminal:

${tried.join('\n')}

Change the database itself, past all of it; the next read of what it touches is new:

${changes(options)
  .map(({ what, command }) => `  ${what}\n    ${paint(command)}`)
  .join('\n')}

Look next:
  demo/tidegate.yaml                        the gateway's config; change it while this runs
  bin/tidegate routes demo/tidegate.yaml    its routes, and what each does
  bin/tidegate explain demo/tidegate.yaml GET /ordering/orders/1 -H 'x-beta: on'
  bin/tidegate explain demo/tidegate.yaml GET /overview/ada-lindqvist

Ctrl-C stops all of it.
`;
}
