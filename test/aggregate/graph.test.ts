import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type HttpOrigin,
  httpOrigin,
  ManualClock,
  startTestGateway,
  until,
} from '../../src/testkit/index.ts';

/**
 * Any graph of calls: each is asked once, in the time of its critical path, and the answer is that of asking one
 * after another.
 */
interface Graph {
  /** Of each call, those before it in the file that it names. */
  needs: number[][];
  /** How long the service takes for each, in milliseconds of the clock. */
  takes: number[];
}

const graphs: fc.Arbitrary<Graph> = fc.integer({ min: 1, max: 9 }).chain((size) =>
  fc.record({
    needs: fc.tuple(
      ...Array.from({ length: size }, (_, index) =>
        index === 0 ? fc.constant([]) : fc.uniqueArray(fc.nat(index - 1), { maxLength: 3 }),
      ),
    ) as fc.Arbitrary<number[][]>,
    takes: fc.array(fc.integer({ min: 1, max: 50 }), { minLength: size, maxLength: size }),
  }),
);

/** What a call answers: its own number and what it was told by those it names. */
const answerOf = (index: number, told: readonly number[]): number =>
  (index + 1) * 7 + told.reduce((sum, one) => sum + one, 0);

function sequential({ needs }: Graph): number[] {
  const answers: number[] = [];
  for (const [index, named] of needs.entries()) {
    const told = named.map((one) => answers[one]!);
    answers.push(answerOf(index, told));
  }
  return answers;
}

function criticalPath(graph: Graph): number {
  return Math.max(...startsOf(graph).map((start, index) => start + graph.takes[index]!));
}

describe('any graph of calls', () => {
  let service: HttpOrigin;
  let clock: ManualClock;
  let takes: readonly number[] = [];
  let asked: string[] = [];
  let waiting = 0;

  beforeAll(async () => {
    service = await httpOrigin((request, response) => {
      const url = new URL(request.url!, 'http://service');
      const index = Number(url.pathname.slice(2));
      const told = [...url.searchParams.values()].map(Number);
      asked.push(url.pathname);
      waiting++;
      clock.after(takes[index]!, () => {
        waiting--;
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ v: answerOf(index, told) }));
      });
    });
  });
  afterAll(() => service.close());

  it("runs in its critical path's time, each call once, with the answer of a sequential run", async () => {
    await fc.assert(
      fc.asyncProperty(graphs, fc.boolean(), async (graph, reversed) => {
        const entries = graph.needs.map((named, index) => {
          const query = named.map((one) => `n${one}={c${one}.body.v}`).join('&');
          return [
            `c${index}`,
            { to: 'service', path: `/c${index}${query === '' ? '' : `?${query}`}` },
          ] as const;
        });
        clock = new ManualClock();
        takes = graph.takes;
        asked = [];
        const gateway = await startTestGateway(
          {
            services: { service: { url: service.url, pool: { idle: '1h' } } },
            // The order of the file must not matter.
            routes: {
              all: {
                match: '/',
                aggregate: { calls: Object.fromEntries(reversed ? entries.toReversed() : entries) },
              },
            },
          },
          { clock },
        );
        const began = clock.now();
        const response = fetch(`http://127.0.0.1:${gateway.port}/`).then((answer) => answer.json());
        let done = false;
        response
          .finally(() => {
            done = true;
          })
          .catch(() => {});
        const ready = startsOf(graph);
        let ended: number | null = null;
        for (let time = 0; ended === null; time++) {
          // All that can be asked by now has been, before the clock goes on.
          const due = ready.filter((start) => start <= time).length;
          await until(() => asked.length >= due || done, `${due} calls by ${time}: ${asked}`);
          if (time >= criticalPath(graph)) {
            await until(() => done, 'the answer');
            ended = clock.now() - began;
          } else clock.advance(1);
        }
        expect(ended).toBe(criticalPath(graph));
        const expected = Object.fromEntries(sequential(graph).map((v, index) => [`c${index}`, { v }]));
        expect(await response).toEqual(expected);
        expect(asked.toSorted()).toEqual(graph.needs.map((_, index) => `/c${index}`).toSorted());
        expect(waiting).toBe(0);
        await gateway.close();
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

/** When each call can begin. */
function startsOf({ needs, takes }: Graph): number[] {
  const ends: number[] = [];
  return needs.map((named, index) => {
    const start = Math.max(0, ...named.map((one) => ends[one]!));
    ends.push(start + takes[index]!);
    return start;
  });
}
