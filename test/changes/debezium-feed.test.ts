import { expect, it } from 'vitest';
import { postgresEvent } from '../../src/changes/debezium/fixtures.ts';
import { DebeziumFeed } from '../../src/changes/debezium/index.ts';
import { Recording } from './recording.ts';

it('the place of a change of its own, without that of its commit, takes nothing back that is proven', async () => {
  const sink = new Recording({ 'public.orders': ['order:{row.id}'] });
  const feed = new DebeziumFeed(sink);
  const tell = (lsn: number, op = 'c', snapshot = 'false') => {
    const event = postgresEvent(op, null, { id: 1 }, { sequence: null, lsn, snapshot });
    return feed.apply([{ key: null, topic: null, value: JSON.stringify(event) }], { position: 'database' });
  };
  for (const lsn of [100, 50, 120]) await tell(lsn);
  expect(sink.positions).toEqual(['0/64', '0/64', '0/78']);
  // All rows are read anew: what follows may be of another log.
  await tell(0, 'r', 'first');
  await tell(30);
  expect(sink.positions.at(-1)).toBe('0/1E');
});
