import { MASK } from '../../util/secret.ts';
import { nearest } from '../../util/suggest.ts';
import { isSecretPath } from '../report/secrets.ts';
import type { Kind, Notes } from './kit.ts';
import { hintFor, PLACES } from './places.ts';
import { listed } from './values.ts';

/** What was probably meant by a key that is none of those `known`. */
export function unknownKeyAdvice(
  key: string,
  known: readonly string[],
  value: Record<string, unknown>,
  place: string,
): string | null {
  const hint = hintFor(place, key);
  if (hint !== undefined) return hint;
  const homes = Object.entries(PLACES).filter(([, keys]) => keys.includes(key));
  if (homes.length === 1) return `it is a key of ${homes[0]![0]}`;
  // A key that is already there was not meant once more.
  const meant = nearest(
    key,
    known.filter((candidate) => !Object.hasOwn(value, candidate)),
  );
  if (meant !== null) return `did you mean "${meant}"?`;
  const already = nearest(key, known);
  if (already !== null) return `"${already}" stands here already`;
  if (place === 'Config') return 'a key of your own, for an anchor say, begins with x-';
  return known.length <= 12 ? `its keys are ${listed(known).replace(/ or ([^ ]+)$/, ' and $1')}` : null;
}

/** What people write by mistake where another kind of value belongs. */
export function kindAdvice(
  notes: Notes,
  given: unknown,
  kind: Kind,
  path: readonly (string | number)[],
): string | null {
  const what = notes.what ?? '';
  // Advice shows how to write the value; a secret one it must not repeat.
  const value = isSecretPath(path) && typeof given !== 'object' && given !== false ? MASK : given;
  if (value === false && /\b(off|none)\b/.test(what)) return `write ${/\boff\b/.test(what) ? 'off' : 'none'}`;
  if (kind === 'number' && notes.wrapNumber !== undefined) return `write { ${notes.wrapNumber}: ${value} }`;
  if (kind === 'list' && /^an object: .* by name/.test(what)) return 'write NAME: { … } for each entry';
  const takesText =
    notes.leaf?.kinds.includes('text') === true ||
    (!what.startsWith('{') && /text|name|path|URL|host/.test(what));
  if (kind === 'object' && takesText && isUnquotedTemplate(given as object))
    return 'put text with braces in quotes';
  // In quotes it would be no quantity either: the message shows some.
  if (kind === 'boolean' && /^a (?:duration|size|rate|percentage)\b/.test(what)) return null;
  // As it stands in the file: `010` and `1.0` are other texts than their numbers.
  if (takesText && (kind === 'number' || kind === 'boolean'))
    return notes.leaf === undefined || notes.leaf.check(String(given)) === null ? 'write it in quotes' : null;
  const isSwitch = notes.leaf?.kinds.includes('boolean') === true || /^true\b/.test(what);
  const meant = kind === 'text' && isSwitch ? booleanAdvice(String(given), what) : null;
  if (meant !== null) return meant;
  if (kind === 'text' && notes.leaf?.kinds.includes('number') === true && /^\d+$/.test(String(value))) {
    return `write it without quotes: ${value}`;
  }
  if (notes.wrap !== undefined && (kind === 'text' || kind === 'number')) {
    return `write { ${notes.wrap}: ${notes.wrap === 'body' ? 'TEXT' : value} }`;
  }
  if (kind === 'text' && what.startsWith('a list of')) return `write [${value}]`;
  if (kind === 'list' && what.startsWith('a path or')) return 'write { path: [ … ] }';
  if (kind === 'function') return 'only expressions and templates can be functions';
  return null;
}

function booleanAdvice(text: string, what: string): string | null {
  if (/^(yes|on|true|y)$/i.test(text)) return 'write true';
  if (/^(no|off|false|n)$/i.test(text)) return /\bnone\b/.test(what) ? 'write none' : 'write false';
  return null;
}

/** `path: {params.sku}` without quotes is an object with an empty member. */
function isUnquotedTemplate(value: object): boolean {
  const members = Object.entries(value);
  return members.length === 1 && members[0]![1] === null;
}
