import { type LogFields, type Logger, type LogLevel, logTo } from './log.ts';

/** A change of state, as one of those who found it out tells it. */
export interface NewsEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** Servers that are remembered; more than a node has. */
const MOST = 1000;

/**
 * What many find out alike, such as each connection of each worker that Redis is away: the log is told by the first of
 * them. Which server it is about stands in the field `redis`.
 */
export class SharedNews {
  /** For those who find it out in this process. */
  readonly log: Logger;
  private readonly target: Logger;
  /** What was told of each last. */
  private readonly told = new Map<string, string>();

  constructor(target: Logger) {
    this.target = target;
    this.log = logTo((level, message, fields) => this.tell({ level, message, fields }));
  }

  tell({ level, message, fields }: NewsEntry): void {
    const about = String(fields.redis);
    if (this.told.get(about) === message) return;
    if (this.told.size >= MOST) this.told.clear();
    this.told.set(about, message);
    this.target[level](message, fields);
  }
}
