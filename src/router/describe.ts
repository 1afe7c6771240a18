import type { MatchConfig, ValueMatch } from '../config/model.ts';
import { MASK } from '../util/secret.ts';

/** Names whose values don't belong on a screen: credentials, sessions. */
const SECRET_NAME = /auth|cookie|credential|key|pass|pwd|secret|session|token/i;

/** Does a header, parameter or cookie of this name carry what must not be printed? */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** A match on one line, as in `GET /orders/{id}, host shop.example.com, header x-beta "on"`. */
export function describeMatch(match: MatchConfig): string {
  const head = [match.methods.join('|'), describePath(match)].filter((text) => text !== '').join(' ');
  const conditions = [
    ...(match.listeners.length > 0 ? [`listener ${match.listeners.join('|')}`] : []),
    ...(match.hosts.length > 0 ? [`host ${match.hosts.join('|')}`] : []),
    ...describeValues('header', match.headers),
    ...describeValues('query', match.query),
    ...describeValues('cookie', match.cookies),
    ...(match.ip.length > 0 ? [`ip ${match.ip.join('|')}`] : []),
    ...(match.when === null ? [] : [`when ${typeof match.when === 'string' ? match.when : 'a function'}`]),
  ];
  return [head, ...conditions].join(', ');
}

/** The paths of a match as they stand in the file; `any path` where it names none. */
export function describePath(match: MatchConfig): string {
  if (match.paths.length === 0) return 'any path';
  return `${match.paths.join(' | ')}${match.ignoreCase ? ' (any case)' : ''}`;
}

function describeValues(kind: string, values: Record<string, ValueMatch>): string[] {
  return Object.entries(values).map(([name, value]) => `${kind} ${name} ${describeValue(name, value)}`);
}

/** `"on"`, `~RE2`, `present` or `absent`. */
export function describeValue(name: string, value: ValueMatch): string {
  if (typeof value === 'boolean') return value ? 'present' : 'absent';
  if (isSecretName(name)) return MASK;
  return value.startsWith('~') ? value : JSON.stringify(value);
}
