import type { RedirectConfig, Template } from '../config/model.ts';
import {
  compilePath,
  compileTemplate,
  EvaluationFailure,
  ExpressionError,
  originOf,
  readsPartOf,
  type Scope,
  type TextTemplate,
  type Variables,
} from '../expression/index.ts';
import { type Exchange, reply } from '../http/exchange.ts';
import { isHeaderValue } from '../http/headers.ts';
import { checked, isAuthority } from './authority.ts';
import { restOf } from './destination.ts';
import { failureOf } from './evaluation.ts';
import { clientAuthority } from './forwarded.ts';
import { problem } from './problem.ts';
import { joinQuery } from './query.ts';
import { cutTarget, type Part } from './redirect-target.ts';
import type { Answer } from './respond.ts';

/**
 * Compiles `redirect`: `to`, which stands for itself and takes no query along, or parts, where what isn't
 * given stays as the client asked. A value that can't stand where it is filled in is 400 where the request
 * brought it, else 502.
 *
 * @throws ExpressionError, also where the authority would come from the request's query, headers, cookies or
 *   body: whoever writes a link would choose where the gateway sends its reader (an open redirect).
 */
export function compileRedirect(config: RedirectConfig, scope: Scope): Answer {
  const location = compileLocation(config, scope);
  return (exchange, vars) => {
    try {
      return reply(config.status, ['location', headerSafe(location(exchange, vars))], null);
    } catch (error) {
      return problem(failureOf(error, 'TG_UPSTREAM_VALUE'), exchange.id);
    }
  };
}

type Location = (exchange: Exchange, vars: Variables) => string;

function compileLocation(config: RedirectConfig, scope: Scope): Location {
  const { to } = config;
  if (to === null) return fromParts(config, scope);
  return typeof to === 'string' ? fromText(to, scope) : fromFunction(to, scope);
}

/** `to` as text: `https://shop.example/{params.id}`, `/new/*`. */
function fromText(to: string, scope: Scope): Location {
  const parts = cutTarget(to);
  const { schemeOf, authorityOf, pathOf, fragmentOf } = gather({
    schemeOf: () => inPart(parts.scheme, (source) => compileScheme(source, scope)),
    authorityOf: () => inPart(parts.authority, (source) => compileHost(source, scope)),
    pathOf: () => inPart(parts.path, (source) => compileOwnPath(source, scope)),
    fragmentOf: () =>
      inPart(parts.fragment, (source) => compileTemplate(source, scope, { into: 'queryValue' })),
  });
  return (exchange, vars) => {
    const scheme = schemeOf === null ? '' : `${schemeOf(vars)}:`;
    const authority = authorityOf === null ? '' : `//${authorityOf(vars)}`;
    const { path, query } = pathOf === null ? { path: '', query: null } : pathOf(exchange, vars);
    const fragment = fragmentOf === null ? '' : `#${encoded(fragmentOf.render(vars))}`;
    return scheme + authority + withQuery(path, query) + fragment;
  };
}

/** From a function the whole comes at once. What begins with a path stays one: `//host` is no authority. */
function fromFunction(to: Template, scope: Scope): Location {
  const whole = compileTemplate(to, scope, { into: 'text' });
  const origin = originOf(whole.mentions);
  return (_exchange, vars) => {
    const text = encoded(whole.render(vars));
    if (text.startsWith('/')) return singleSlash(text);
    const head = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)/.exec(text);
    if (head === null || !isAuthority(head[2]!))
      throw new EvaluationFailure('value', 'a redirect needs a URL or a path', origin);
    return text;
  };
}

function fromParts(config: RedirectConfig, scope: Scope): Location {
  const { schemeOf, authorityOf, pathOf } = gather({
    schemeOf: () => (config.scheme === null ? null : compileScheme(config.scheme, scope)),
    authorityOf: () => (config.host === null ? null : compileHost(config.host, scope)),
    pathOf: () => (config.path === null ? null : compileOwnPath(config.path, scope)),
  });
  return (exchange, vars) => {
    const own = pathOf === null ? { path: exchange.path, query: null } : pathOf(exchange, vars);
    const rest = withQuery(singleSlash(own.path), joinQuery(own.query, exchange.query));
    // Relative where it can be: no scheme or port that a proxy in front knows better is guessed.
    if (schemeOf === null && authorityOf === null) return rest;
    const scheme = schemeOf === null ? exchange.scheme : schemeOf(vars);
    const authority = authorityOf === null ? askedAuthority(exchange, schemeOf !== null) : authorityOf(vars);
    return `${scheme}://${authority}${rest}`;
  };
}

/** Runs all of them, and throws what is wrong with any in one error. */
function gather<T>(compile: { [K in keyof T]: () => T[K] }): T {
  const problems: ExpressionError['problems'][number][] = [];
  const made = {} as T;
  for (const key of Object.keys(compile) as (keyof T)[]) {
    try {
      made[key] = compile[key]();
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new ExpressionError(problems);
  return made;
}

/** Compiles a part of a text; what is wrong is shown where it stands in the whole. */
function inPart<T>(part: Part | null, compile: (source: string) => T): T | null {
  if (part === null) return null;
  try {
    return compile(part.source);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const { at } = part;
    throw new ExpressionError(
      error.problems.map((one) => ({ ...one, start: one.start + at, end: one.end + at })),
    );
  }
}

type Filled = (vars: Variables) => string;

function compileScheme(template: Template, scope: Scope): Filled {
  const text = compileTemplate(template, scope, { into: 'scheme' });
  refuseClientsChoice(text, template);
  return checked(
    text,
    (scheme) =>
      /^[A-Za-z][A-Za-z0-9+.-]*$/.test(scheme) && (text.constant !== null || /^https?$/i.test(scheme)),
  );
}

function compileHost(template: Template, scope: Scope): Filled {
  const text = compileTemplate(template, scope, { into: 'authority' });
  refuseClientsChoice(text, template);
  return checked(text, isAuthority);
}

/** What a link can carry into a request without its reader's knowing. */
const CHOSEN_BY_CLIENT = [
  'request.query',
  'request.queries',
  'request.headers',
  'request.cookies',
  'request.body',
];

function refuseClientsChoice(text: TextTemplate, template: Template): void {
  const chosen = CHOSEN_BY_CLIENT.find((path) => readsPartOf(text.mentions, path));
  if (chosen === undefined) return;
  throw new ExpressionError([
    {
      message: `where a redirect goes can't come from ${chosen}: a link could send its reader anywhere (an open redirect)`,
      start: 0,
      end: typeof template === 'string' ? template.length : 0,
      advice: 'name the host, or take it from request.host or params',
    },
  ]);
}

interface OwnPath {
  path: string;
  query: string | null;
}

function compileOwnPath(template: Template, scope: Scope): (exchange: Exchange, vars: Variables) => OwnPath {
  const filled = compilePath(template, scope);
  return (exchange, vars) => {
    const { path, query } = filled.render(vars);
    const whole = filled.endsWithRest ? path.replace(/\/$/, '') + restOf(exchange) : path;
    return { path: singleSlash(encoded(whole)), query: query === null ? null : encoded(query) };
  };
}

function withQuery(path: string, query: string | null): string {
  return query === null ? path : `${path}?${query}`;
}

/** `//host/x` and `/\host/x` are no paths to a browser but authorities (RFC 3986 §4.2). */
function singleSlash(path: string): string {
  return path === '' ? '/' : path.replace(/^[/\\]*/, '/');
}

/** What can't stand in a URL as it is (RFC 3986 §2), CR and LF above all, percent-encoded. */
function encoded(text: string): string {
  return text.toWellFormed().replace(/[^\x21-\x7e]+|[\\"<>^`{|}]/g, encodeURIComponent);
}

/**
 * `host[:port]` as the client asked. With another scheme a port that only says the old scheme's default goes:
 * `http://shop.example:80` is `https://shop.example`.
 */
function askedAuthority(exchange: Exchange, otherScheme: boolean): string {
  const asked = clientAuthority(exchange, exchange.trusted);
  if (!isAuthority(asked)) throw new EvaluationFailure('value', 'the request names no host', 'request');
  if (!otherScheme) return asked;
  return asked.replace(exchange.scheme === 'https' ? /:443$/ : /:80$/, '');
}

function headerSafe(location: string): string {
  if (isHeaderValue(location)) return location;
  throw new EvaluationFailure('nul', 'the location of a redirect is not a header value', 'request');
}
