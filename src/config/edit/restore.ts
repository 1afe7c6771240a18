import { MASK } from '../../util/secret.ts';
import { looksSecret } from '../../util/secret-looks.ts';
import type { ConfigIssue } from '../model.ts';
import { isSecretPath } from '../report/secrets.ts';
import { maskedConfig, maskedText, type Path } from './masked.ts';

/**
 * A config that came over the network, with the secrets of the one in force in the place of their masks. A secret stays
 * only where it stood, and only while every address beside it is what it was: else whoever may write a config, but not
 * read its secrets, would have them sent elsewhere. The same holds for what `${env.}` and `${file:}` stand for.
 *
 * @param file What the config's own file says: nothing else may be referred to.
 */
export function restoreSecrets(
  next: unknown,
  current: unknown,
  file: unknown = current,
): { value: unknown; issues: ConfigIssue[] } {
  const restoring = new Restoring(next, current, referencesIn(file));
  return { value: restoring.visit(next, current, []), issues: restoring.issues };
}

class Restoring {
  readonly issues: ConfigIssue[] = [];
  private readonly next: unknown;
  private readonly current: unknown;
  private readonly named: ReadonlySet<string>;

  constructor(next: unknown, current: unknown, named: ReadonlySet<string>) {
    this.next = next;
    this.current = current;
    this.named = named;
  }

  visit(next: unknown, current: unknown, path: Path): unknown {
    if (typeof next === 'string') return this.text(next, current, path);
    if (Array.isArray(next))
      return next.map((item, index) => this.visit(item, at(current, index), [...path, index]));
    if (typeof next !== 'object' || next === null) return next;
    const copy: Record<string, unknown> = Object.create(null);
    for (const [key, item] of Object.entries(next))
      copy[key] = this.visit(item, at(current, key), [...path, key]);
    return copy;
  }

  private text(next: string, current: unknown, path: Path): unknown {
    if (this.isMask(next, path)) {
      const known = typeof current === 'string' || typeof current === 'number';
      const same = known && maskedConfig(current, path) === next;
      if (same && this.addressesStand(path)) return current;
      this.refuse(
        path,
        same ? 'an address beside this secret has changed' : 'no secret stands here in the config in force',
        'write the secret itself',
      );
      return next;
    }
    for (const reference of next.match(REFERENCES) ?? []) this.reference(reference, next, current, path);
    return next;
  }

  private isMask(text: string, path: Path): boolean {
    if (!text.includes(MASK)) return false;
    return (isSecretPath(path) && text === MASK) || MASK_IN_URL.test(text);
  }

  private reference(reference: string, next: string, current: unknown, path: Path): void {
    if (!this.named.has(reference)) {
      const message = `${reference} is not named in the config's own file`;
      return this.refuse(path, message, 'a config that comes over the network may refer to nothing else');
    }
    const name = /^\$\{env\.([A-Za-z_][A-Za-z0-9_]*)/.exec(reference)?.[1];
    const isSecret = name === undefined || looksSecret(name);
    if (!isSecret || (next === current && this.addressesStand(path))) return;
    const message = `${reference} may hold a secret: it stands only where the file has it, beside the same addresses`;
    this.refuse(path, message, 'write the value itself, or change the file');
  }

  /** Everything that says where something is, in the part of the config that the secret belongs to. */
  private addressesStand(path: Path): boolean {
    const part = path.slice(0, NAMED.has(String(path[0])) ? 2 : 1);
    const of = (config: unknown) => JSON.stringify([...addressesIn(part.reduce(at, config), part)]);
    return of(this.next) === of(this.current);
  }

  private refuse(path: Path, message: string, advice: string): void {
    this.issues.push({ code: 'TG_CONFIG_MASK', severity: 'error', path: [...path], message, advice });
  }
}

/** What `maskUrls` leaves: before the `@` of an address, or as a parameter of a query. */
const MASK_IN_URL = /\*\*\*[^\s/]*@|[?&][\w.-]+=\*\*\*/;
/** Objects whose members are parts by themselves. */
const NAMED: ReadonlySet<string> = new Set(['services', 'routes', 'auth', 'changes', 'policies']);
const REFERENCES = /\$\{(?:env\.|file:)[^}]*\}/g;
const ADDRESS_KEY =
  /^(?:url|endpoint|tokenEndpoint|issuer|jwks|address|hosts?|targets?|brokers|cluster|sentinels|otlp|servers?|discover|dns|consul|kubernetes|redis|forward|opa|authzen|admin|listen)$/;

/** Addresses by where they stand, credentials in them masked. */
function* addressesIn(value: unknown, path: Path): Iterable<[string, string]> {
  if (typeof value === 'string') {
    if (value.includes('://') || path.some((key) => ADDRESS_KEY.test(String(key))))
      yield [path.join('/'), maskedText(value, path)];
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    yield* addressesIn(item, [...path, key]);
}

function referencesIn(value: unknown): Set<string> {
  if (typeof value === 'string') return new Set(value.match(REFERENCES) ?? []);
  if (typeof value !== 'object' || value === null) return new Set();
  return new Set(Object.values(value).flatMap((item) => [...referencesIn(item)]));
}

function at(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string | number, unknown>)[key];
}
