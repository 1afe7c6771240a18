import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Source, SourceParts } from '../../src/changes/index.ts';
import { positionsOf } from '../../src/changes/positions/index.ts';
import { createSource } from '../../src/changes/reader/create.ts';
import { until } from '../../src/testkit/index.ts';
import { type FollowedServer, KINDS } from './contract/servers.ts';
import { changesOf } from './node.ts';
import { partsFor, Recording, RecordingMemory } from './recording.ts';

for (const { name, without } of KINDS) if (without !== '') console.log(`${name}: ${without}`);

/** What every source keeps to, whatever it follows; each against its real server. */
for (const { name, without, make } of KINDS) {
  describe.skipIf(without !== '')(`${name} as a change source`, () => {
    let server: FollowedServer;
    const memory = new RecordingMemory();
    const sources: Source[] = [];
    let next = 1;

    beforeAll(async () => {
      server = await make();
    }, 120_000);
    afterEach(async () => {
      await Promise.all(sources.splice(0).map((source) => source.stop()));
    });
    afterAll(() => server?.close());

    async function follow(more: Partial<SourceParts> & { reader?: object } = {}) {
      const tables = { [server.table]: ['order:{row.id}'] };
      const { reader } = changesOf({ test: { ...(more.reader ?? server.reader), tables } }).test!;
      const sink = new Recording(tables);
      const source = await createSource(reader, partsFor(sink, { memory, ...more }));
      sources.push(source);
      source.start();
      return { sink, source, positions: positionsOf(reader) };
    }

    const streams = async (sink: Recording) =>
      await until(() => sink.status === 'streaming' && sink.opened > 0, 'the source to stream', 30_000).catch(
        (error: Error) => Promise.reject(new Error(`${error.message}: ${JSON.stringify(sink.states)}`)),
      );
    const sees = (sink: Recording, id: number) =>
      until(() => sink.seen.has(`order:${id}`), `row ${id} to be applied`, 30_000);

    test('what is committed once it streams is applied, in its order, under positions that never go back', async () => {
      const { sink, positions } = await follow();
      await streams(sink);
      // The first reader ever knows nothing of what was before.
      const gaps = sink.gaps.length;
      const ids = Array.from({ length: 20 }, () => next++);
      for (const id of ids) await server.commit(id);
      await sees(sink, ids.at(-1)!);
      expect(sink.tags.filter((tag) => tag.startsWith('order:'))).toEqual(ids.map((id) => `order:${id}`));
      const told = sink.positions.filter((position) => position !== '').map((text) => positions.parse(text));
      expect(told).not.toContain(null);
      for (const [index, position] of told.entries())
        if (index > 0) expect(positions.covers(position, told[index - 1])).toBe(true);
      expect(sink.gaps).toHaveLength(gaps);
      expect(sink.complaints).toEqual([]);
    }, 60_000);

    test('what was not applied before its end comes again to the next', async () => {
      const first = await follow();
      await streams(first.sink);
      const end = first.sink.freeze();
      const id = next++;
      await server.commit(id);
      const later = next++;
      await server.commit(later);
      end();
      await first.source.stop();
      expect(first.sink.seen.has(`order:${id}`)).toBe(false);
      const second = await follow();
      await sees(second.sink, id);
      await sees(second.sink, later);
      expect(second.sink.gaps).toEqual([]);
    }, 60_000);

    test('what is committed while nobody reads is applied by the next', async () => {
      const first = await follow();
      await streams(first.sink);
      const seen = next++;
      await server.commit(seen);
      await sees(first.sink, seen);
      await until(() => name !== 'MariaDB' || memory.values.size > 0, 'the place to be kept');
      await first.source.stop();
      const missed = next++;
      await server.commit(missed);
      const second = await follow();
      await sees(second.sink, missed);
    }, 60_000);

    test('with a server that dies and comes back nothing is lost, and it streams again by itself', async () => {
      const { sink } = await follow();
      await streams(sink);
      const before = next++;
      await server.commit(before);
      await sees(sink, before);
      await server.kill();
      await until(() => sink.status !== 'streaming' || name === 'Kafka', 'the loss to be noticed', 20_000);
      await server.start();
      const after = next++;
      await until(
        () =>
          server.commit(after).then(
            () => true,
            () => false,
          ),
        'the server to take a change',
        20_000,
      );
      await sees(sink, after);
      await until(() => sink.status === 'streaming', 'it to stream again', 20_000);
    }, 90_000);

    test('once it is stopped nothing is applied any more, and what follows comes to the next', async () => {
      const { sink, source } = await follow();
      await streams(sink);
      await source.stop();
      const { batches } = sink;
      const id = next++;
      await server.commit(id);
      expect(sink.batches).toBe(batches);
      const second = await follow();
      await sees(second.sink, id);
      expect(sink.batches).toBe(batches);
    }, 60_000);

    test('stopped while it connects, it ends at once', async () => {
      const { sink, source } = await follow();
      const from = performance.now();
      await source.stop();
      expect(performance.now() - from).toBeLessThan(5000);
      expect(sink.batches).toBe(0);
    }, 20_000);

    test('a server that is not there is told of, without its password, and asked again', async () => {
      const text = JSON.stringify(server.reader)
        .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:1')
        .replaceAll(':secret@', ':hunter2@');
      const { sink } = await follow({ reader: JSON.parse(text) as object });
      await until(
        () => sink.states.filter(({ error }) => error !== null).length > 0,
        'the refusal to be told',
        20_000,
      );
      expect(sink.status).toBe('connecting');
      expect(sink.opened).toBe(0);
      expect(JSON.stringify(sink.states)).not.toContain('hunter2');
    }, 40_000);
  });
}
