import { basename } from 'node:path';
import { mediaTypeOf } from '../../http/media-type.ts';
import type { DestinationConfig, RedirectConfig, RespondConfig } from '../model.ts';
import type { DestinationInput, RedirectInput, RespondInput, RouteInput } from '../schema/types.ts';
import { countOf, listOf, record } from './scalars.ts';

export type ReadBytes = (path: string) => Buffer;

export function redirectOf(input: RedirectInput): RedirectConfig {
  const { status, to = null, scheme = null, host = null, path = null } = input;
  return { status: countOf(status, 308), to, scheme, host, path };
}

type Entry = string | (DestinationInput & { weight?: number | string });

/** `to` in its long form: a list of destinations with their weights. */
export function destinationsOf(to: RouteInput['to']): DestinationConfig[] {
  if (to === undefined) return [];
  return listOf<Entry>(to as Entry | Entry[]).map((entry) => {
    if (typeof entry === 'string') return { service: entry, path: null, method: null, weight: 1 };
    const weight = 'weight' in entry ? countOf(entry.weight, 1) : 1;
    const method = typeof entry.method === 'string' ? entry.method : null;
    return { service: entry.service, path: entry.path ?? null, method, weight };
  });
}

export function respondOf(input: RespondInput, readBytes: ReadBytes): RespondConfig {
  return {
    status: countOf(input.status, 200),
    headers: record(Object.entries(input.headers ?? {})),
    content: contentOf(input, readBytes),
  };
}

function contentOf(input: RespondInput, readBytes: ReadBytes): RespondConfig['content'] {
  if (input.body !== undefined) return { kind: 'body', text: input.body };
  if (input.template !== undefined) return { kind: 'template', template: input.template };
  if (Object.hasOwn(input, 'json')) return { kind: 'json', value: input.json };
  if (input.file === undefined) return { kind: 'none' };
  return { kind: 'file', bytes: readBytes(input.file), type: mediaTypeOf(basename(input.file)) };
}
