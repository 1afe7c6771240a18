import type { NodeHolders } from '../cache/index.ts';
import { type NodeChanges, notesTo } from '../changes/index.ts';
import { type FenceNews, TOPICS } from './bus-topics.ts';
import type { Fleet } from './fleet.ts';

/** The workers of a node, as the sequence tells them: each call resolves once every one of them holds it. */
export function holdersOf(fleet: Fleet, changes: () => NodeChanges): NodeHolders {
  const tell = (news: FenceNews) => fleet.broadcast(TOPICS.fences, news);
  return {
    async apply(number, what) {
      changes().counted(await tell({ number, what }));
    },
    async raiseFloor(number) {
      await tell({ number, what: null });
    },
    async reset() {
      await tell({ reset: true });
    },
    notes: notesTo(changes),
  };
}
