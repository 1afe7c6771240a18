import { type Place, type PlacesConfig, placesOf } from '../../auth/index.ts';
import { commonOf } from '../normalise/index.ts';
import type { ProviderInput } from '../schema/index.ts';

/** The kind of a provider in which nothing is wrong, and what it says. */
export function kindOf(provider: ProviderInput): { kind: PlacesConfig['kind']; settings: object } {
  const [kind, settings] = Object.entries(provider)[0] as [PlacesConfig['kind'], object];
  return { kind, settings };
}

/** Where its credential stands. */
export function credentialPlacesOf(provider: ProviderInput): readonly Place[] {
  const { kind, settings } = kindOf(provider);
  const requestHeaders = requestHeadersOf(provider);
  return placesOf({ kind, from: commonOf('', settings).from, requestHeaders });
}

/** All that it finds out by who asks. */
export function readPlacesOf(provider: ProviderInput): readonly Place[] {
  const read = requestHeadersOf(provider).map((name): Place => ({ in: 'header', name }));
  return [...credentialPlacesOf(provider), ...read];
}

function requestHeadersOf({ forward }: ProviderInput): string[] {
  if (forward === undefined) return [];
  return [forward.requestHeaders ?? ['authorization', 'cookie']].flat().map((name) => name.toLowerCase());
}

export const isSamePlace = (one: Place, other: Place) => one.in === other.in && one.name === other.name;
