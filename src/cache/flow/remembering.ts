import { isSource } from '../../http/body.ts';
import type { Origin, Out } from './contract.ts';
import { HeldEnd } from './held-end.ts';
import { hold } from './hold.ts';
import type { OwnWrites } from './own-writes.ts';
import { isUnsafe } from './safe.ts';

/**
 * An origin whose unsafe requests are remembered, so that whoever made one reads nothing older afterwards. Once the
 * answer is complete, and before its client has all of it: what it asks next finds that remembered. A failure may come of
 * a write that was done.
 *
 * @param harmless Methods of the route that change nothing: it keeps their answers.
 */
export function remembering<T>(
  ownWrites: OwnWrites,
  harmless: readonly string[],
  origin: Origin<T>,
): Origin<T> {
  return (exchange, out) => {
    const writer = isUnsafe(exchange, harmless) ? ownWrites.writer(exchange) : null;
    if (writer === null) return origin(exchange, out);
    origin(exchange, {
      finish(_exchange, answer, transform) {
        if (answer.tunnel !== null) return out.finish(exchange, answer, transform);
        const { body } = answer;
        if (!isSource(body))
          return hold(exchange, answer, writer.wrote(), () => out.finish(exchange, answer, transform));
        answer.body = new HeldEnd(body, () => writer.wrote());
        out.finish(exchange, answer, transform);
      },
    } satisfies Out<T>);
  };
}
