import type { Arg } from '../../redis/index.ts';
import type { Invalidation } from '../fences/index.ts';
import type { Note } from '../sequence/index.ts';
import { slotName } from './keys.ts';

/** Tags and prefixes that one number stands for; what is more goes under the next number. */
const MOST_TAGS = 256;

/** What goes through the log: an invalidation, or a raised floor and why. */
export interface Message extends Invalidation {
  readonly floor: string | null;
  /** Left out: none. */
  readonly notes?: readonly Note[];
}

export const NOTHING: Invalidation = { tags: [], prefixes: [], all: false, soft: false };

export function floorMessage(why: string): Message {
  return { ...NOTHING, all: true, floor: why };
}

export function encodeMessage({ tags, prefixes, all, soft, early, floor, notes }: Message): string {
  return JSON.stringify({
    ...(tags.length === 0 ? {} : { t: tags }),
    ...(prefixes.length === 0 ? {} : { p: prefixes }),
    ...(all ? { a: 1 } : {}),
    ...(soft ? { s: 1 } : {}),
    ...(early ? { e: 1 } : {}),
    ...(floor === null ? {} : { f: floor }),
    ...(notes === undefined ? {} : { n: notes.map(written) }),
  });
}

/** Null for what this version can't read: then everything is to be taken for purged. */
export function decodeMessage(text: string): Message | null {
  try {
    const { t = [], p = [], a, s, e, f = null, n } = JSON.parse(text);
    const notes = n === undefined ? {} : { notes: (n as Written[]).map(read) };
    return { tags: t, prefixes: p, all: a === 1, soft: s === 1, ...earlyOr(e === 1), floor: f, ...notes };
  } catch {
    return null;
  }
}

const earlyOr = (early: boolean): Pick<Message, 'early'> => (early ? { early } : {});

type Written = [topic: string, author: string, standing: string, event?: string];

function written({ topic, author, standing, event }: Note): Written {
  return event === null ? [topic, author, standing] : [topic, author, standing, event];
}

function read([topic, author, standing, event]: Written): Note {
  return { topic, author, standing, event: event ?? null };
}

/** The arguments that check and keep its notes in Redis. */
export function noteArguments({ notes = [] }: Message): Arg[] {
  return [notes.length, ...notes.flatMap(({ topic, author, standing }) => [topic, author, standing])];
}

/** The arguments that set its fences in Redis. */
export function fenceArguments({ tags, prefixes, all, soft }: Invalidation): Arg[] {
  const slots = [...new Set(tags.map(slotName))];
  return [soft ? 1 : 0, all ? 1 : 0, prefixes.length, ...prefixes, ...slots];
}

/** One that reaches all that the two reach; null where they can't go under one number. */
export function merged(one: Message, other: Message): Message | null {
  if (one.soft !== other.soft || one.early !== other.early) return null;
  const tags = union(one.tags, other.tags);
  const prefixes = union(one.prefixes, other.prefixes);
  if (tags.length + prefixes.length > MOST_TAGS) return null;
  const floor = one.floor ?? other.floor;
  const notes = bothNotes(one, other);
  const { soft, early = false } = one;
  return { tags, prefixes, all: one.all || other.all, soft, ...earlyOr(early), floor, ...notes };
}

function bothNotes(one: Message, other: Message): Pick<Message, 'notes'> {
  if (one.notes === undefined && other.notes === undefined) return {};
  return { notes: [...(one.notes ?? []), ...(other.notes ?? [])] };
}

function union(one: readonly string[], other: readonly string[]): readonly string[] {
  if (one.length === 0) return other;
  return other.length === 0 ? one : [...new Set([...one, ...other])];
}

/** Parts of a list that each go under one number. */
export function slices(list: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(list.length / MOST_TAGS) }, (_, i) =>
    list.slice(i * MOST_TAGS, (i + 1) * MOST_TAGS),
  );
}
