import { type Body, isSource } from '../../http/body.ts';
import type { Exchange } from '../../http/exchange.ts';
import { type Headers, hasHeader } from '../../http/headers.ts';
import type { Handover } from '../../pipeline/index.ts';
import { ForbiddenNames } from './names.ts';
import { WithoutTrailers } from './trailers.ts';
import { visible } from './visible.ts';

/** Of an identity, what a service may be told. */
export interface Told {
  readonly subject: string | null;
  readonly permissions: readonly string[];
  /** Lines of the provider's answer. */
  readonly toService?: Headers;
}

/** Header names in which services are told who asks. */
export interface IdentityNames {
  readonly subject: string;
  readonly permissions: string;
}

export const DEFAULT_NAMES: IdentityNames = {
  subject: 'x-auth-subject',
  permissions: 'x-auth-permissions',
};

/** Signs, for one service, that an identity was found. The same token for as long as it is young. */
export type Sign<Who extends Told = Told> = (identity: Who) => string;

export interface HandoverConfig<Who extends Told = Told> {
  readonly names: IdentityNames;
  /** `headers`: in the two headers. A function: as a bearer token signed by the gateway. Null: nothing is told. */
  readonly as: 'headers' | Sign<Who> | null;
  /** Does the service hear of these? A cached answer for many may not depend on who asked first. */
  readonly tells: { readonly subject: boolean; readonly permissions: boolean };
  /** Lines of the provider's answer too, for requests that don't carry them already: calls of aggregates. */
  readonly hands: boolean;
  /** Further headers of which a client's own copy does not pass: those that a provider answers with. */
  readonly forbidden: readonly string[];
  /** Those that this route's providers answer with: in the head they are the gateway's, in trailers a client's. */
  readonly headAlone: readonly string[];
}

/**
 * Compiles what a service is told of who asks, and which of the client's headers could be taken for that. Null where
 * nobody is told anything, and no name but the usual two, which never pass anyway, has to be kept out.
 */
export function compileHandover<Who extends Told>(config: HandoverConfig<Who>): Handover | null {
  const signs = typeof config.as === 'function' ? ['authorization'] : [];
  const own = [config.names.subject, config.names.permissions].filter((name) => !isDefault(name));
  const forbidden = [...config.forbidden, ...signs, ...own];
  if (config.as === null && forbidden.length === 0 && config.headAlone.length === 0) return null;
  return new CompiledHandover(config, forbidden);
}

const isDefault = (name: string) => name === DEFAULT_NAMES.subject || name === DEFAULT_NAMES.permissions;

class CompiledHandover<Who extends Told> implements Handover {
  private readonly config: HandoverConfig<Who>;
  private readonly forbidden: ForbiddenNames;
  private readonly forbiddenTrailers: ForbiddenNames;
  /** A cached decision gives the same identity again and again. */
  private readonly said = new WeakMap<Who, string>();

  constructor(config: HandoverConfig<Who>, forbidden: readonly string[]) {
    this.config = config;
    this.forbidden = new ForbiddenNames(forbidden);
    this.forbiddenTrailers = new ForbiddenNames([...forbidden, ...config.headAlone]);
  }

  without(_exchange: Exchange, headers: Headers): Headers {
    return this.forbidden.empty ? headers : this.forbidden.without(headers);
  }

  withoutTrailers(_exchange: Exchange, body: Body): Body {
    // In HTTP/2 they come behind content of a known length as well.
    if (this.forbiddenTrailers.empty || !isSource(body)) return body;
    return new WithoutTrailers(body, this.forbiddenTrailers);
  }

  lines(exchange: Exchange): string {
    const identity = exchange.identity as Who | null;
    if (identity === null) return '';
    const { as } = this.config;
    if (as === null) return '';
    const handed = this.config.hands ? this.handed(exchange, identity) : '';
    if (as !== 'headers') return `authorization: Bearer ${as(identity)}\r\n${handed}`;
    let lines = this.said.get(identity);
    if (lines === undefined) {
      lines = this.written(identity);
      this.said.set(identity, lines);
    }
    return lines + handed;
  }

  /** What a call says itself in a header of that name counts more. */
  private handed({ headers }: Exchange, { toService = [] }: Who): string {
    let lines = '';
    for (let i = 0; i < toService.length; i += 2) {
      const name = toService[i]!;
      if (this.forbidden.has(name) || hasHeader(headers, name)) continue;
      lines += `${name}: ${toService[i + 1]}\r\n`;
    }
    return lines;
  }

  private written({ subject, permissions }: Who): string {
    const { names, tells } = this.config;
    let lines = '';
    if (tells.subject && subject !== null && subject !== '')
      lines += `${names.subject}: ${visible(subject)}\r\n`;
    const held = tells.permissions ? permissions.filter((one) => one !== '') : [];
    if (held.length > 0) lines += `${names.permissions}: ${held.map(visible).join(' ')}\r\n`;
    return lines;
  }
}
