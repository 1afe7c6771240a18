import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type LabProcess, type ProcessLab, portOpens, processLab } from './process-lab.ts';
import { findProgram } from './server-program.ts';
import { type TempFolder, tempFolder } from './temp-folder.ts';

const LIBRARIES = [
  ['org.apache.kafka', 'kafka_2.13', '4.1.0'],
  ['org.apache.logging.log4j', 'log4j-slf4j-impl', '2.24.3'],
  ['org.apache.logging.log4j', 'log4j-core', '2.24.3'],
];

/** The broker's jars, fetched once by Maven (43 MB, kept for later runs); null where there is no Java or Maven. */
export function kafkaLibraries(): string | null {
  const folder = process.env.TIDEGATE_KAFKA_LIBS ?? join(tmpdir(), 'tidegate-kafka-4.1.0');
  const libs = join(folder, 'libs');
  if (findProgram('java') === undefined) return null;
  if (existsSync(libs) && readdirSync(libs).length > 40) return libs;
  if (findProgram('mvn') === undefined) return null;
  mkdirSync(folder, { recursive: true });
  const dependency = ([group, artifact, version]: string[]) =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  writeFileSync(
    join(folder, 'pom.xml'),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>t</artifactId><version>1</version><dependencies>${LIBRARIES.map(dependency).join('')}</dependencies></project>`,
  );
  const args = ['-q', 'dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=libs'];
  const { status } = spawnSync('mvn', args, { cwd: folder, timeout: 180_000 });
  return status === 0 ? libs : null;
}

/** A Kafka broker of one node for a test, which keeps its port and topics over restarts. `close` ends it. */
export class KafkaTestServer {
  readonly port: number;
  private readonly controller: number;
  private readonly libs: string;
  private readonly lab: ProcessLab = processLab();
  private readonly folder: TempFolder = tempFolder();
  private process: LabProcess | null = null;

  constructor(libs: string, port: number, controller: number) {
    this.libs = libs;
    this.port = port;
    this.controller = controller;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async create(): Promise<void> {
    const once = ['offsets.topic', 'transaction.state.log', 'share.coordinator.state.topic'];
    const settings = [
      'process.roles=broker,controller',
      'node.id=1',
      `controller.quorum.voters=1@127.0.0.1:${this.controller}`,
      `listeners=PLAINTEXT://${this.address},CONTROLLER://127.0.0.1:${this.controller}`,
      `advertised.listeners=PLAINTEXT://${this.address}`,
      'controller.listener.names=CONTROLLER',
      'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      `log.dirs=${join(this.folder.path, 'data')}`,
      'group.initial.rebalance.delay.ms=0',
      ...once.map((name) => `${name}.replication.factor=1`),
      'offsets.topic.num.partitions=1',
      'transaction.state.log.num.partitions=1',
      'transaction.state.log.min.isr=1',
      'share.coordinator.state.topic.min.isr=1',
    ];
    const file = this.folder.write('server.properties', settings.join('\n'));
    // One that begins with a dash would be taken for an option.
    const id = `A${randomBytes(16).toString('base64url').slice(1)}`;
    const format = this.lab.start('java', [
      '-cp',
      `${this.libs}/*`,
      'kafka.tools.StorageTool',
      'format',
      '-t',
      id,
      '-c',
      file,
    ]);
    const { code } = await format.exit(60_000);
    if (code !== 0) throw new Error(`Kafka could not be set up:\n${format.output}`);
    await this.start();
  }

  async start(): Promise<void> {
    const jvm = ['-Xms128m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    this.process = this.lab.start('java', [
      ...jvm,
      '-cp',
      `${this.libs}/*`,
      'kafka.Kafka',
      join(this.folder.path, 'server.properties'),
    ]);
    await portOpens(this.port, 60_000);
  }

  /** As a crash would. */
  async kill(): Promise<void> {
    await this.process?.kill();
    this.process = null;
  }

  async close(): Promise<void> {
    await this.lab.close();
    this.folder.close();
  }
}

export async function kafkaServer(libs: string): Promise<KafkaTestServer> {
  const server = new KafkaTestServer(libs, await freePort(), await freePort());
  try {
    await server.create();
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}
