import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileTrouble, readRegularFile } from './source/regular-file.ts';

/** Absolute paths of files that a config may name. */
export interface NamedFiles {
  readonly read: ReadonlySet<string>;
  readonly written: ReadonlySet<string>;
}

/**
 * The files that a config names, each read once. Paths are relative to the config's folder. Every path
 * that was asked for, found or not, and every symbolic link on the way is remembered: a change of any of
 * them can change the config.
 */
export class ConfigFiles {
  readonly folder: string;
  private readonly only: NamedFiles | null;
  private readonly seen = new Set<string>();
  private readonly contents = new Map<string, Buffer | string>();

  /** @param only Absolute paths, where no others may be read or written to. */
  constructor(folder: string, only: NamedFiles | null = null) {
    this.folder = folder;
    this.only = only;
  }

  mayRead(path: string): boolean {
    return this.only === null || this.only.read.has(resolve(this.folder, path));
  }

  mayWrite(path: string): boolean {
    return this.only === null || this.only.written.has(resolve(this.folder, path));
  }

  /** The bytes, or why there are none: the end of a sentence that begins with the file's name. */
  read(path: string): Buffer | string {
    const absolute = resolve(this.folder, path);
    const known = this.contents.get(absolute);
    if (known !== undefined) return known;
    if (!this.mayRead(path)) return 'is not one that the file of the config names';
    this.note(absolute);
    const content = readOrTrouble(absolute);
    this.contents.set(absolute, content);
    return content;
  }

  /** A path that somebody else reads. */
  note(absolute: string): void {
    for (const path of linksOf(absolute)) this.seen.add(path);
  }

  /** Absolute. */
  get paths(): string[] {
    return [...this.seen];
  }
}

function readOrTrouble(absolute: string): Buffer | string {
  try {
    return readRegularFile(absolute);
  } catch (error) {
    return fileTrouble(error);
  }
}

const MOST_LINKS = 40;

/** A path, and what it leads to through symbolic links, its own and those of the folders above it. */
function linksOf(absolute: string): Set<string> {
  const found = new Set([absolute]);
  let at = absolute;
  for (let i = 0; i < MOST_LINKS; i++) {
    const next = followFirstLink(at, found);
    if (next === null) break;
    found.add(next);
    at = next;
  }
  return found;
}

/** Replaces the topmost symbolic link of a path by its target; the link itself is remembered. */
function followFirstLink(path: string, found: Set<string>): string | null {
  const parts = path.split('/');
  for (let i = 2; i <= parts.length; i++) {
    const prefix = parts.slice(0, i).join('/');
    const target = linkTarget(prefix);
    if (target === null) continue;
    found.add(prefix);
    return resolve(dirname(prefix), target, ...parts.slice(i));
  }
  return null;
}

function linkTarget(path: string): string | null {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null;
  } catch {
    return null;
  }
}
