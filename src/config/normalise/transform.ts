import type { Template, TransformConfig } from '../model.ts';
import type { RequestTransformInput, ResponseTransformInput } from '../schema/types.ts';
import { record } from './scalars.ts';

type TransformInput = RequestTransformInput | ResponseTransformInput | 'none';
type Values = Record<string, Template | Template[]>;
const VALUES = ['set', 'add', 'default'] as const;

/** A fresh one at each use: nobody can write into another's. */
function noTransform(): TransformConfig {
  return { headers: { set: {}, add: {}, default: {}, remove: [], only: null }, query: { only: null } };
}

/**
 * The transforms of a route (or service) over those of `defaults`, merged name by name: whatever the
 * route says of a header replaces all that the defaults say of it. `none` takes the defaults' away, of
 * one header, of one kind, or of all.
 */
export function mergeTransforms(
  base: TransformInput | undefined,
  own: TransformInput | undefined,
): TransformConfig {
  if (own === 'none') return noTransform();
  if (own === undefined) return transformOf(base);
  return over(transformOf(base), own);
}

export function transformOf(input: TransformInput | undefined): TransformConfig {
  return input === undefined || input === 'none' ? noTransform() : over(noTransform(), input);
}

function over(base: TransformConfig, own: Exclude<TransformInput, 'none'>): TransformConfig {
  const query = 'query' in own ? own.query : undefined;
  const only = query === 'none' ? null : onlyOf(query?.only, base.query.only);
  return { headers: headersOver(base.headers, own.headers), query: { only } };
}

function headersOver(
  base: TransformConfig['headers'],
  own: Exclude<TransformInput, 'none'>['headers'],
): TransformConfig['headers'] {
  if (own === undefined) return base;
  if (own === 'none') return noTransform().headers;
  const mentioned = mentionedIn(own);
  const merged = noTransform().headers;
  for (const kind of VALUES) {
    const given = own[kind];
    const kept =
      given === 'none' ? [] : Object.entries(base[kind]).filter(([name]) => !mentioned.has(dashed(name)));
    merged[kind] = record([...kept, ...valuesOf(given, base)]);
  }
  const kept = own.remove === 'none' ? [] : base.remove.filter((name) => !mentioned.has(dashed(name)));
  merged.remove = [...kept, ...removedBy(own)];
  merged.only = onlyOf(own.only, base.only);
  return merged;
}

type HeadersInput = Exclude<Exclude<TransformInput, 'none'>['headers'], 'none' | undefined>;

function mentionedIn(own: HeadersInput): Set<string> {
  const names = removedBy(own);
  for (const kind of VALUES) {
    const given = own[kind];
    if (given !== undefined && given !== 'none') names.push(...Object.keys(given));
  }
  return new Set(names.map(dashed));
}

/** A name that can't be one has left a hole: a config that is refused is looked at to its end all the same. */
function removedBy({ remove }: HeadersInput): string[] {
  return remove === undefined || remove === 'none' ? [] : remove.filter((name) => name !== undefined);
}

/** Names are compared as a service might: without case, `_` read as `-`. */
function dashed(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** `none` for a header of the defaults takes it away; for any other it is the header's value. */
function valuesOf(
  given: HeadersInput['set'],
  base: TransformConfig['headers'],
): [string, Template | Template[]][] {
  if (given === undefined || given === 'none') return [];
  const values = Object.entries(given as Values);
  return values.filter(([name, value]) => value !== 'none' || !saysSomethingOf(name, base));
}

function saysSomethingOf(name: string, base: TransformConfig['headers']): boolean {
  const names = [...VALUES.flatMap((kind) => Object.keys(base[kind])), ...base.remove];
  return names.some((other) => dashed(other) === dashed(name));
}

function onlyOf(own: 'none' | readonly string[] | undefined, base: string[] | null): string[] | null {
  if (own === undefined) return base;
  return own === 'none' ? null : [...own];
}
