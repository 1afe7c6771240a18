/** `sql.ts URL STATEMENT`: runs one statement in the demo's database, past all of its services. */
import pg from 'pg';

const [url, statement] = process.argv.slice(2);
if (url === undefined || statement === undefined) {
  console.error('sql.ts URL STATEMENT');
  process.exit(2);
}
const client = new pg.Client({ connectionString: url });
await client.connect();
const { command, rowCount } = await client.query(statement);
console.log(`${command} ${rowCount ?? ''}`.trim());
await client.end();
