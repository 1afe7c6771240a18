import { isIP } from 'node:net';
import type { Template } from '../config/model.ts';
import {
  compileTemplate,
  EvaluationFailure,
  originOf,
  type Scope,
  type TextTemplate,
  type Variables,
} from '../expression/index.ts';

/** `host[:port]` with a name, an IPv4 address or a bracketed IPv6 one: what may stand in a URL the gateway makes. */
export function isAuthority(text: string): boolean {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?)(?::(\d{1,5}))?$/.exec(text);
  if (match === null || text.length > 259) return false;
  if (match[1] !== undefined && isIP(match[1]) !== 6) return false;
  return match[2] === undefined || Number(match[2]) <= 65535;
}

/**
 * Compiles a template for a whole authority: the `host` of a service or route, of a redirect. Filling it in
 * throws an EvaluationFailure where it is none; its origin is the request where the request was asked.
 *
 * @throws ExpressionError
 */
export function compileAuthority(template: Template, scope: Scope): (vars: Variables) => string {
  return checked(compileTemplate(template, scope, { into: 'authority' }), isAuthority);
}

/** Renders a template and refuses what isn't valid as a whole. */
export function checked(
  text: TextTemplate,
  isValid: (value: string) => boolean,
): (vars: Variables) => string {
  const origin = originOf(text.mentions);
  return (vars) => {
    const value = text.constant ?? text.render(vars);
    if (isValid(value)) return value;
    throw new EvaluationFailure('value', 'the scheme or authority is not valid', origin);
  };
}
