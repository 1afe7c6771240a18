import type { RespondConfig } from '../config/model.ts';
import { compileJsonTemplates, compileTemplate, type Scope, type Variables } from '../expression/index.ts';
import { type Exchange, type Reply, reply } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import { NO_VARIABLES } from './destination.ts';
import { failureOf } from './evaluation.ts';
import { compileHeaders, type HeaderLines } from './header-lines.ts';
import { problem } from './problem.ts';

/** Makes the gateway's own answer to an exchange. Never throws for a failed evaluation: that is a problem reply. */
export type Answer = (exchange: Exchange, vars: Variables) => Reply;

/**
 * Compiles `respond`. What depends on no request is made once: its body is one Buffer, shared by all replies.
 * A body whose template fails is 400 where the request brought what can't be used, else 500.
 *
 * @throws ExpressionError
 */
export function compileRespond(config: RespondConfig, scope: Scope): Answer {
  const { status } = config;
  const headers = compileHead(config, scope);
  const content = isBodiless(status) ? NO_CONTENT : compileContent(config.content, scope);
  if (content.constant !== undefined && headers.constant !== null) {
    const { constant: body } = content;
    const fixed = headers.constant;
    return () => reply(status, fixed.slice(), body);
  }
  return (exchange, vars) => {
    const head = headers.constant?.slice() ?? headers.make(vars);
    try {
      return reply(status, head, content.make(vars, isMarkup(head)));
    } catch (error) {
      return problem(failureOf(error, 'TG_EXPRESSION_FAILED'), exchange.id);
    }
  };
}

/** Answers that have no content, whatever is said (RFC 9110 §15.3.5, §15.3.6, §15.4.5). */
function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

interface Content {
  /** The body where it depends on no request. */
  readonly constant?: Buffer | null;
  /** @param markup Filled values must not be able to end the text they stand in. */
  make(vars: Variables, markup: boolean): Buffer | null;
}

const NO_CONTENT: Content = { constant: null, make: () => null };

function compileContent(content: RespondConfig['content'], scope: Scope): Content {
  switch (content.kind) {
    case 'none':
      return NO_CONTENT;
    case 'body':
      return constantContent(Buffer.from(content.text));
    case 'file':
      return constantContent(content.bytes);
    case 'json':
      return jsonContent(content.value, scope);
    case 'template': {
      const plain = compileTemplate(content.template, scope, { into: 'text', single: true });
      if (plain.constant !== null) return constantContent(Buffer.from(plain.constant));
      const escaped = compileTemplate(content.template, scope, { into: 'html' });
      return { make: (vars, markup) => Buffer.from((markup ? escaped : plain).render(vars)) };
    }
  }
}

function constantContent(body: Buffer): Content {
  return { constant: body, make: () => body };
}

function jsonContent(value: unknown, scope: Scope): Content {
  const templates = compileJsonTemplates(value, scope);
  if (!hasTemplate(value)) return constantContent(templates.render(NO_VARIABLES));
  return {
    make(vars, markup) {
      const body = templates.render(vars);
      return markup ? Buffer.from(jsonInMarkup(body.toString())) : body;
    },
  };
}

function hasTemplate(value: unknown): boolean {
  if (typeof value === 'string') return /[{}]/.test(value);
  if (typeof value === 'function') return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasTemplate);
}

/** In JSON these stand only inside of texts, where an escape means the same (RFC 8259 §7). */
function jsonInMarkup(json: string): string {
  return json.replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}

/** Is the answer one that a browser may read as HTML or XML? */
function isMarkup(headers: Headers): boolean {
  return /html|xml|xsl/i.test(headers[1]!);
}

interface Head {
  readonly constant: Headers | null;
  make(vars: Variables): Headers;
}

/** The headers of the answer: its content type first, where it has content, and what keeps browsers from guessing another. */
function compileHead(config: RespondConfig, scope: Scope): Head {
  const usual = usualType(config);
  const configured = compileHeaders(config.headers, scope).filter(
    ({ name }) => !/^x-content-type-options$/i.test(name),
  );
  const type = configured.find(({ name }) => name.toLowerCase() === 'content-type');
  const others = configured.filter((header) => header !== type);
  const make = (vars: Variables): Headers => {
    // One type alone: of two, browsers take one and the gateway might have escaped for the other.
    const contentType = type?.values(vars)[0] ?? usual;
    const headers: Headers = contentType === null ? [] : ['content-type', contentType];
    headers.push('x-content-type-options', 'nosniff');
    for (const { name, values } of others) for (const value of values(vars)) headers.push(name, value);
    return headers;
  };
  return { constant: configured.every(isConstant) ? make(NO_VARIABLES) : null, make };
}

function isConstant(lines: HeaderLines): boolean {
  return lines.constant !== null;
}

function usualType({ status, content }: RespondConfig): string | null {
  if (isBodiless(status)) return null;
  switch (content.kind) {
    case 'none':
      return null;
    case 'json':
      return 'application/json';
    case 'file':
      return content.type;
    default:
      return 'text/plain; charset=utf-8';
  }
}
