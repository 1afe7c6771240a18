import { MASK } from '../../util/secret.ts';
import { isReference, maskUrls } from '../../util/secret-looks.ts';
import { isSecretPath } from '../report/secrets.ts';

export type Path = readonly (string | number)[];

/** A config as it may be shown to whoever may see the admin API: secrets masked, functions named as what they are. */
export function maskedConfig(value: unknown, path: Path = []): unknown {
  if (typeof value === 'string') return maskedText(value, path);
  if (typeof value === 'number' || typeof value === 'bigint')
    return isSecretPath(path) ? MASK : Number(value);
  if (typeof value === 'function') return '[function]';
  if (Array.isArray(value)) return value.map((item, index) => maskedConfig(item, [...path, index]));
  if (typeof value !== 'object' || value === null) return value ?? null;
  const entries = Object.entries(value).map(([key, item]) => [key, maskedConfig(item, [...path, key])]);
  return Object.fromEntries(entries);
}

/** References say where a secret is, not what it is. */
export function maskedText(text: string, path: Path): string {
  if (!isSecretPath(path)) return maskUrls(text);
  return isReference(text) ? text : MASK;
}
