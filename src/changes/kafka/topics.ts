import type { Consumer } from '@platformatic/kafka';

/** What a topic is: reading goes on only as long as it stays so. */
export interface Shape {
  /** Another topic of the same name is not the same. */
  readonly id: string;
  readonly partitions: number;
}

export type Shapes = ReadonlyMap<string, Shape>;

/** The brokers have answered, and reading can't go on as it was begun. */
export class OtherTopics extends Error {}

/** Asked once, not again and again: a topic that is deleted would never be told of. */
export async function shapesOf(consumer: Consumer, topics: readonly string[]): Promise<Shapes> {
  const asked = consumer.metadata({ topics: [...topics], forceUpdate: true, retries: 0 });
  const { topics: found } = await asked.catch((error: Error) => {
    const [, name] = /^Unknown topic (.+)\.$/.exec(error.message) ?? [];
    throw name === undefined ? error : new OtherTopics(`there is no topic ${name}`);
  });
  return new Map(
    topics.map((topic) => {
      const { id, partitionsCount } = found.get(topic)!;
      return [topic, { id, partitions: partitionsCount }];
    }),
  );
}

export function partitionsOf(shapes: Shapes): number {
  return [...shapes.values()].reduce((sum, { partitions }) => sum + partitions, 0);
}

/** Throws where what was begun with `before` can't go on. */
export function compare(before: Shapes, now: Shapes): void {
  for (const [topic, { id, partitions }] of now) {
    const was = before.get(topic);
    if (was?.id !== id) throw new OtherTopics(`the topic ${topic} was made anew`);
    if (was.partitions !== partitions)
      throw new OtherTopics(`the topic ${topic} has ${partitions} partitions now`);
  }
}

/** Ids by topic, to be remembered. */
export function formatIds(shapes: Shapes): string {
  return JSON.stringify(Object.fromEntries([...shapes].map(([topic, { id }]) => [topic, id])));
}

/** Topics that are not those whose ids were remembered. */
export function madeAnew(remembered: string, shapes: Shapes): string[] {
  const ids = new Map(Object.entries(JSON.parse(remembered) as Record<string, string>));
  return [...shapes].flatMap(([topic, { id }]) => {
    const before = ids.get(topic);
    return before === undefined || before === id ? [] : [topic];
  });
}
