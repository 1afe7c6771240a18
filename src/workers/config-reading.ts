import { type AcmeListener, acmeListeners } from '../acme/index.ts';
import { type QueryRule, queryRules } from '../cache/index.ts';
import type { AdminConfig, CacheConfig, GatewayConfig, ListenerConfig } from '../config/model.ts';
import { describeRoute, type RouteDescription } from '../snapshot/index.ts';
import { type CheckPlans, checkPlans, targetName } from '../upstream/index.ts';
import { certificatesOfFiles, type ShownCertificate } from './shown-certificates.ts';

/** What the supervisor needs to know of a config, functions or not. */
export interface ConfigOutline {
  listen: Pick<ListenerConfig, 'name' | 'host' | 'port'>[];
  tls: string[];
  /** Certificates that stand in files. */
  certificates: ShownCertificate[];
  /** Listeners whose certificates the node gets by itself. */
  acme: AcmeListener[];
  admin: AdminConfig | null;
  workers: number | 'auto';
  drain: { delay: number; timeout: number };
  routes: RouteDescription[];
  services: string[];
  /** Names of the targets by service; null: they are discovered. */
  targets: Record<string, string[] | null>;
  cache: CacheConfig;
  /** How its routes bring queries into the keys of their caches. */
  queryRules: QueryRule[];
  /** What a config that is a program says of sources is data too. */
  changes: GatewayConfig['changes'];
  /** Targets that are checked, once for the node. */
  checks: CheckPlans;
}

export interface ConfigReading {
  outline: ConfigOutline;
  /** Null where it has functions and can't be sent: then each worker reads the file itself. */
  config: GatewayConfig | null;
  /** Every file that it stands in or names, absolute: what is watched. */
  files: string[];
  /** Hash of all that was read. */
  etag: string;
  /** Ready to print. */
  warnings: string[];
  /** The line of its file, from 1, at which each route stands; empty where it stands in no text. */
  lines: Readonly<Record<string, number>>;
  /** As it was read, nothing filled in: what an edit over the network is held against. Null for a program. */
  raw: unknown;
  /** The same, as it may be shown: secrets are masked. */
  shown: unknown;
}

/** One thing that is wrong or odd in a config, as data. */
export interface IssueReport {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly path: string;
  readonly line?: number;
  readonly column?: number;
  /** How to mend it. */
  readonly suggestion?: string;
}

/** What comes of a config that came over the network; `reading` null: it has errors. */
export interface Edited {
  readonly reading: ConfigReading | null;
  readonly issues: readonly IssueReport[];
}

/** Reads a config that came over the network. `own`: what the file itself says. */
export type ReadEdit = (
  text: string,
  inForce: ConfigReading,
  own: ConfigReading,
  file: string,
) => Promise<Edited>;

/** Why a config can't be used: `report` is ready to print. `files` are still worth watching. */
export class ConfigRefused extends Error {
  readonly report: string;
  readonly files: string[];

  constructor(report: string, files: string[]) {
    super(firstLine(report));
    this.report = report;
    this.files = files;
  }
}

function firstLine(text: string): string {
  return text.trimStart().split('\n', 1)[0] ?? '';
}

/** Reads and checks a config file; throws `ConfigRefused`. */
export type ReadConfig = (file: string) => Promise<ConfigReading>;

export function outlineOf(config: GatewayConfig): ConfigOutline {
  return {
    listen: config.listen.map(({ name, host, port }) => ({ name, host, port })),
    tls: config.listen.filter((listener) => listener.tls !== null).map((listener) => listener.name),
    certificates: certificatesOfFiles(config),
    acme: acmeListeners(config),
    admin: config.admin,
    workers: config.workers,
    drain: config.drain,
    routes: Object.values(config.routes).map(describeRoute),
    services: Object.keys(config.services),
    targets: targetsOf(config),
    cache: config.cache,
    queryRules: queryRules(config),
    changes: config.changes,
    checks: checkPlans(config),
  };
}

function targetsOf({ services }: GatewayConfig): ConfigOutline['targets'] {
  return Object.fromEntries(
    Object.values(services).map(({ name, discover, targets }) => [
      name,
      discover === null ? targets.map(targetName) : null,
    ]),
  );
}

/** A config that is a program: only a fresh process may load it. */
export function isCode(file: string): boolean {
  return /\.[cm]?[jt]s$/.test(file);
}
