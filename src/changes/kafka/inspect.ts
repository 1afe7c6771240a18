import { Admin, ConfigResourceTypes } from '@platformatic/kafka';
import type { ChangeReaderConfig } from '../../config/model.ts';
import { nearest } from '../../util/suggest.ts';
import type { SourceFinding } from '../finding.ts';
import { holdConnections } from './connections.ts';

/** Asks the brokers of a source whether its topics can be read. Never rejects. */
export async function inspectKafka(
  config: Extract<ChangeReaderConfig, { kind: 'kafka' }>,
): Promise<SourceFinding> {
  const { brokers, topics, tls, sasl, group } = config;
  const admin = new Admin({
    clientId: 'tidegate-check',
    bootstrapBrokers: [...brokers],
    retries: 0,
    connectTimeout: 3000,
    timeout: 5000,
    ...(tls ? { tls: {} } : {}),
    ...(sasl === null ? {} : { sasl }),
  });
  holdConnections(admin);
  try {
    const there = await admin.listTopics({ includeInternals: false });
    for (const topic of topics) {
      if (there.includes(topic)) continue;
      const meant = nearest(topic, there);
      return {
        error: `there is no topic ${topic}, or the user may not read it${meant === null ? '' : `; did you mean ${meant}?`}`,
        advice: [],
      };
    }
    // Brokers that have just started have no coordinator for groups yet.
    await admin.describeGroups({ groups: [group] }).catch((error: Error) => {
      if (/authoriz/i.test(textsOf(error))) throw error;
    });
    return { error: null, advice: await compaction(admin, topics) };
  } catch (error) {
    return { error: explain(error as Error, brokers), advice: [] };
  } finally {
    await admin.close().catch(() => {});
  }
}

/** Compaction takes away changes whose old rows matter. Who may not ask is not told. */
async function compaction(admin: Admin, topics: readonly string[]): Promise<string[]> {
  const resources = topics.map((resourceName) => ({
    resourceType: ConfigResourceTypes.TOPIC,
    resourceName,
    configurationKeys: ['cleanup.policy'],
  }));
  const described = await admin.describeConfigs({ resources }).catch(() => []);
  return described.flatMap(({ resourceName, configs }) => {
    const policy = configs.find(({ name }) => name === 'cleanup.policy')?.value ?? '';
    if (!policy.includes('compact')) return [];
    return [
      `the topic ${resourceName} is compacted, which takes away changes that were not read: set cleanup.policy=delete`,
    ];
  });
}

function explain(error: Error, brokers: readonly string[]): string {
  const texts = textsOf(error);
  const where = brokers.join(', ');
  if (/refused|cannot connect/i.test(texts))
    return `no broker can be reached (${where}): are they running, and is the port right?`;
  if (/sasl|authentication/i.test(texts)) return 'the brokers refuse the user or password';
  if (/authoriz/i.test(texts))
    return `the user lacks rights: Read and Describe on the topics, Read on the group (${texts})`;
  return `${texts} (${where})`;
}

/** An error with those that it stands for. */
function textsOf(error: Error & { errors?: Error[] }): string {
  return [error.message, ...(error.errors ?? []).map(textsOf)].filter(Boolean).join(': ');
}
