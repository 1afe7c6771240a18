import type { FailureOrigin } from './failure.ts';

/*
 * Questions to `Program.mentions`: dotted paths with all their beginnings, and a variable's bare name where the whole
 * of it is used.
 */

/** Is this (`request.body`) among what is read, by itself, in part, or with the whole of its variable? */
export function reads(mentions: ReadonlySet<string>, path: string): boolean {
  return mentions.has(path) || mentions.has(path.slice(0, path.indexOf('.')));
}

/** What is looked for among all that is read. */
export type Looks = (mentions: ReadonlySet<string>) => boolean;

export const readsRequestBody: Looks = (mentions) => reads(mentions, 'request.body');

/** By its own name, as a header, or among headers that are looked at by no name. */
export const readsCookies: Looks = (mentions) =>
  reads(mentions, 'request.cookies') ||
  mentions.has('request.headers.cookie') ||
  (mentions.has('request.headers') && ![...mentions].some((one) => one.startsWith('request.headers.')));

/** Is this (`auth`, `request.body`) read, whole or in part? */
export function readsPartOf(mentions: Iterable<string>, path: string): boolean {
  for (const mention of mentions) if (isPartOf(mention, path)) return true;
  return false;
}

/** Is it this path, or a longer one? */
export function isPartOf(mention: string, path: string): boolean {
  return mention === path || mention.startsWith(`${path}.`);
}

/** What is read, without the beginnings of longer paths; a variable's bare name is no such beginning. */
export function leavesOf(mentions: Iterable<string>): string[] {
  const all = [...mentions];
  return all.filter((name) => !name.includes('.') || !all.some((other) => other.startsWith(`${name}.`)));
}

/** Does what is mentioned come from the client? */
export function originOf(mentions: ReadonlySet<string>): FailureOrigin {
  return readsPartOf(mentions, 'request') || readsPartOf(mentions, 'params') ? 'request' : 'other';
}
