import type { ProviderCommon, Template } from '../config/model.ts';
import {
  compileTemplateValue,
  EvaluationFailure,
  identityScope,
  LayeredVariables,
  type Value,
  type ValueTemplate,
  type Variables,
} from '../expression/index.ts';
import { canonicalTag } from '../util/canonical-tag.ts';

/** What a provider knows of a credential. */
export interface Facts {
  readonly claims: ReadonlyMap<Value, Value>;
  /** What was answered about it; null where nobody was asked. */
  readonly response: Value | null;
}

/** What an identity is made of, beside its credential. */
export interface Mapped {
  readonly subject: string | null;
  readonly permissions: readonly string[];
  readonly scopes: readonly string[];
  readonly claims: ReadonlyMap<Value, Value>;
  /** Null: one of them could not be evaluated, so the decision must not be kept. */
  readonly tags: readonly string[] | null;
}

export type Mapping = (facts: Facts) => Mapped;

/** Compiles `subject`, `permissions`, `claims` and `tags` of a provider. */
export function compileMapping(config: ProviderCommon): Mapping {
  const subject = compiled(config.subject);
  const permissions = compiled(config.permissions);
  const claims = Object.entries(config.claims).map(
    ([name, template]) => [name, compiled(template)!] as const,
  );
  const tags = config.tags.map((template) => compiled(template)!);
  return (facts) => {
    const variables = variablesOf(facts);
    const scopes = scopesOf(facts.claims);
    return {
      subject:
        subject === null ? textFrom(facts.claims.get('sub')) : filledFrom(evaluated(subject, variables)),
      permissions:
        permissions === null
          ? usualPermissions(facts.claims, scopes)
          : textsOf(evaluated(permissions, variables)),
      scopes,
      claims: claims.length === 0 ? facts.claims : withMore(facts.claims, claims, variables),
      tags: tags.length === 0 ? NONE : tagsFrom(tags, variables),
    };
  };
}

const NONE: readonly string[] = [];

/** By what a purge or a change event revokes who was found: the credential (by its hash), the subject, and what `tags` say. */
export function revocationTags({ subject, tags }: Mapped, tokenHash: string | null): readonly string[] {
  const named = [...(tags ?? [])];
  if (tokenHash !== null) named.push(`token:${tokenHash}`);
  if (subject !== null) named.push(`subject:${subject}`);
  return named.map(canonicalTag);
}

function compiled(template: Template | null): ValueTemplate | null {
  return template === null ? null : compileTemplateValue(template, identityScope);
}

function variablesOf({ claims, response }: Facts): Variables {
  const own = response === null ? { claims } : { claims, response };
  return new LayeredVariables({ get: () => undefined }, own);
}

/** What can't be evaluated isn't there. */
function evaluated(template: ValueTemplate, variables: Variables): Value | undefined {
  try {
    return template.evaluate(variables);
  } catch (error) {
    if (error instanceof EvaluationFailure) return undefined;
    throw error;
  }
}

/** A template makes a text, of a number too: databases number their users. */
function filledFrom(value: Value | undefined): string | null {
  return typeof value === 'bigint' || typeof value === 'number' ? String(value) : textFrom(value);
}

/** Nobody is called by an empty text, nor by anything but text. */
function textFrom(value: Value | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** A list of texts, or one text split at spaces; any other shape is none. */
function textsOf(value: Value | undefined): readonly string[] {
  if (typeof value === 'string') return value.split(' ').filter((text) => text !== '');
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value as string[];
  return NONE;
}

/** `scope` (RFC 9068 §2.2.3), `scp` as some servers say. */
function scopesOf(claims: ReadonlyMap<Value, Value>): readonly string[] {
  return union(textsOf(claims.get('scope')), textsOf(claims.get('scp')));
}

function usualPermissions(claims: ReadonlyMap<Value, Value>, scopes: readonly string[]): readonly string[] {
  return union(scopes, textsOf(claims.get('permissions')));
}

function union(a: readonly string[], b: readonly string[]): readonly string[] {
  if (b.length === 0) return a;
  return a.length === 0 ? b : [...new Set([...a, ...b])];
}

function withMore(
  claims: ReadonlyMap<Value, Value>,
  templates: readonly (readonly [string, ValueTemplate])[],
  variables: Variables,
): ReadonlyMap<Value, Value> {
  const all = new Map(claims);
  for (const [name, template] of templates) {
    const value = evaluated(template, variables);
    if (value === undefined) all.delete(name);
    else all.set(name, value);
  }
  return all;
}

function tagsFrom(templates: readonly ValueTemplate[], variables: Variables): readonly string[] | null {
  const tags: string[] = [];
  for (const template of templates) {
    const value = evaluated(template, variables);
    const found = (Array.isArray(value) ? value : [value]).map(filledFrom);
    if (found.some((tag) => tag === null)) return null;
    tags.push(...(found as string[]));
  }
  return tags;
}
