import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { isToken } from '../http/headers.ts';
import type { ExplainRequest, TestIdentity } from '../snapshot/index.ts';

/** What is wrong with a file of policy tests, and where. */
export class PolicyFileError extends Error {}

/** One request of a test of policies, with who may send it. */
export interface PolicyCase {
  readonly name: string;
  readonly request: ExplainRequest;
  /** By identity: what must come of it; an identity that isn't there is shown, and not judged. */
  readonly expected: ReadonlyMap<string, boolean>;
}

export interface PolicyFile {
  /** The config that it is about; null: the file doesn't say. */
  readonly config: string | null;
  readonly identities: ReadonlyMap<string, TestIdentity | null>;
  readonly cases: readonly PolicyCase[];
}

type Mapping = Readonly<Record<string, unknown>>;

/** Reads a file of policy tests (YAML or JSON). Throws a PolicyFileError that says where it is wrong. */
export function readPolicyFile(file: string): PolicyFile {
  const whole = mappingOf(documentOf(textOf(file), file), file);
  onlyKeys(whole, ['config', 'identities', 'requests'], file);
  const identities = new Map(
    Object.entries(mappingOf(whole.identities ?? {}, `${file}: identities`)).map(([name, value]) => [
      name,
      identityOf(value, `${file}: identities.${name}`),
    ]),
  );
  if (identities.size === 0) throw new PolicyFileError(`${file}: "identities" is missing: who asks, by name`);
  const requests = Object.entries(mappingOf(whole.requests ?? {}, `${file}: requests`));
  if (requests.length === 0)
    throw new PolicyFileError(`${file}: "requests" is missing: what is asked, by name`);
  const config = whole.config === undefined ? null : textAt(whole.config, `${file}: config`);
  return {
    config: config === null ? null : resolve(dirname(file), config),
    identities,
    cases: requests.map(([name, value]) =>
      caseOf(name, value, [...identities.keys()], `${file}: requests.${name}`),
    ),
  };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new PolicyFileError(`the file ${file} can't be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Anchors and `<<` work as they do in a config. */
function documentOf(text: string, file: string): unknown {
  const document = parseDocument(text, { prettyErrors: true, merge: true });
  const [broken] = document.errors;
  if (broken !== undefined) throw new PolicyFileError(`${file}: ${broken.message}`);
  try {
    return document.toJS();
  } catch (error) {
    // An alias without its anchor, or aliases of aliases without end.
    if (error instanceof ReferenceError) throw new PolicyFileError(`${file}: ${error.message}`);
    throw error;
  }
}

/** `none`: nobody. */
function identityOf(value: unknown, at: string): TestIdentity | null {
  if (value === 'none') return null;
  const given = mappingOf(value, at, 'an object, or none for nobody');
  onlyKeys(given, ['provider', 'subject', 'permissions', 'scopes', 'claims'], at);
  const { provider, subject, permissions, scopes, claims } = given;
  return {
    provider: provider === undefined ? null : textAt(provider, `${at}.provider`),
    subject: subject === undefined ? null : textAt(subject, `${at}.subject`),
    permissions: wordsAt(permissions, `${at}.permissions`),
    scopes: wordsAt(scopes, `${at}.scopes`),
    claims: mappingOf(claims ?? {}, `${at}.claims`),
  };
}

function caseOf(name: string, value: unknown, identities: readonly string[], at: string): PolicyCase {
  const given = mappingOf(value, at);
  onlyKeys(given, ['request', 'headers', 'ip', 'listener', 'allow', 'deny'], at);
  const { ip, listener } = given;
  const [, method, url] = /^(\S+) +(\S+)$/.exec(textAt(given.request, `${at}.request`)) ?? [];
  if (method === undefined || url === undefined || !isToken(method))
    throw new PolicyFileError(`${at}.request: write a method and a URL or path: GET /orders`);
  if (ip !== undefined && isIP(textAt(ip, `${at}.ip`)) === 0)
    throw new PolicyFileError(`${at}.ip: "${ip}" is no IP address`);
  const headers = Object.entries(mappingOf(given.headers ?? {}, `${at}.headers`)).flatMap(
    ([header, text]) => {
      if (!isToken(header)) throw new PolicyFileError(`${at}.headers: "${header}" is no header`);
      return [header, textAt(text, `${at}.headers.${header}`)];
    },
  );
  return {
    name,
    request: {
      method,
      url,
      headers,
      ...(ip === undefined ? {} : { ip: String(ip) }),
      ...(listener === undefined ? {} : { listener: textAt(listener, `${at}.listener`) }),
    },
    expected: expectedOf(given, identities, at),
  };
}

/** Where only one list is given, the other is everyone else. */
function expectedOf(
  { allow, deny }: Mapping,
  identities: readonly string[],
  at: string,
): Map<string, boolean> {
  const allowed = named(allow, identities, `${at}.allow`);
  const denied = named(deny, identities, `${at}.deny`);
  const twice = allowed.find((name) => denied.includes(name));
  if (twice !== undefined) throw new PolicyFileError(`${at}: "${twice}" is both allowed and denied`);
  const expected = new Map<string, boolean>();
  for (const name of identities) {
    if (allowed.includes(name)) expected.set(name, true);
    else if (denied.includes(name)) expected.set(name, false);
    else if (allow !== undefined && deny === undefined) expected.set(name, false);
    else if (deny !== undefined && allow === undefined) expected.set(name, true);
  }
  return expected;
}

function named(value: unknown, identities: readonly string[], at: string): readonly string[] {
  const names = textsAt(value, at);
  const unknown = names.find((name) => !identities.includes(name));
  if (unknown !== undefined)
    throw new PolicyFileError(
      `${at}: there is no identity "${unknown}"; there are: ${identities.join(', ')}`,
    );
  return names;
}

function mappingOf(value: unknown, at: string, what = 'an object'): Mapping {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Mapping;
  throw new PolicyFileError(`${at}: this must be ${what}`);
}

function onlyKeys(given: Mapping, keys: readonly string[], at: string): void {
  const unknown = Object.keys(given).find((key) => !keys.includes(key));
  if (unknown !== undefined)
    throw new PolicyFileError(`${at}: "${unknown}" is no key here; there are: ${keys.join(', ')}`);
}

function textAt(value: unknown, at: string): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new PolicyFileError(`${at}: this must be text`);
}

function textsAt(value: unknown, at: string): readonly string[] {
  if (value === undefined) return [];
  const list = Array.isArray(value) ? value : [value];
  return list.map((one) => textAt(one, at));
}

/** One text is split at spaces, as where a provider says what somebody may do. */
function wordsAt(value: unknown, at: string): readonly string[] {
  if (typeof value === 'string') return value.split(' ').filter((word) => word !== '');
  return textsAt(value, at);
}
