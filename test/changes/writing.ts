import { until } from '../../src/testkit/index.ts';
import type { Recording } from './recording.ts';

/** Writes one after the other, while a test kills what it likes. */
export interface Writing {
  /** Numbers of what the server has confirmed: only that counts. */
  readonly sent: readonly number[];
  /** Resolves once so many more are written. */
  many(more: number): Promise<unknown>;
  stop(): Promise<void>;
}

/**
 * @param write Rejects where the server has not confirmed it.
 * @param pause Before it goes on after that, ms.
 * @param patience Of `many`, ms.
 */
export function writing(write: (id: number) => Promise<unknown>, pause: number, patience: number): Writing {
  const sent: number[] = [];
  let going = true;
  const ended = (async () => {
    for (let id = 1; going; id++) {
      const done = await write(id).then(
        () => true,
        () => false,
      );
      if (done) sent.push(id);
      else await new Promise((resolve) => setTimeout(resolve, pause));
    }
  })();
  return {
    sent,
    many(more) {
      const goal = sent.length + more;
      return until(() => sent.length >= goal, `${goal} to be written`, patience);
    },
    async stop() {
      going = false;
      await ended;
    },
  };
}

/** A reader dies in the middle: what it was applying is not acknowledged. Gives back all that it had applied. */
export async function dies(
  { sink, source }: { sink: Recording; source: { stop(): Promise<void> } },
  { many }: Writing,
): Promise<ReadonlySet<string>> {
  const end = sink.freeze();
  await many(50);
  const applied = new Set(sink.seen);
  end();
  await source.stop();
  return applied;
}
