import type { JwtConfig } from '../../config/model.ts';
import { Failure } from '../../http/errors.ts';
import { Endpoint } from '../call/index.ts';
import type { AuthParts } from '../parts.ts';
import { type KeySet, readKeySet } from './key-set.ts';

/** What the issuer says of itself is read again after this, in ms. */
const METADATA_FRESH = 10 * 60_000;

/** The issuer of tokens: where its keys are, and what they are. */
export class Issuer {
  private readonly config: JwtConfig;
  private readonly parts: AuthParts;
  private readonly endpoints = new Map<string, Endpoint>();
  private keysUrl: string | null = null;
  private metadataAt = Number.NEGATIVE_INFINITY;

  constructor(config: JwtConfig, parts: AuthParts) {
    this.config = config;
    this.parts = parts;
  }

  async keys(): Promise<KeySet | Failure> {
    const url = await this.whereKeysAre();
    if (url instanceof Failure) return url;
    const endpoint = this.endpoint(url);
    const text = await this.read(endpoint, url);
    if (text instanceof Failure) {
      // It may have moved them.
      this.metadataAt = Number.NEGATIVE_INFINITY;
      return text;
    }
    const keys = readKeySet(text);
    if (keys === null) return endpoint.failed(`${url} gives no JWK set`);
    endpoint.worked();
    return keys;
  }

  close(): void {
    for (const endpoint of this.endpoints.values()) endpoint.close();
  }

  private async whereKeysAre(): Promise<string | Failure> {
    if (this.config.keys.kind === 'url') return this.config.keys.url;
    const now = this.parts.clock.now();
    if (this.keysUrl !== null && now - this.metadataAt < METADATA_FRESH) return this.keysUrl;
    const found = await this.discover();
    if (found instanceof Failure) return found;
    this.keysUrl = found;
    this.metadataAt = now;
    return found;
  }

  /** OpenID Connect Discovery 1.0 §4; where there is nothing, RFC 8414 §3. */
  private async discover(): Promise<string | Failure> {
    const issuer = this.config.issuer!;
    const endpoint = this.endpoint(issuer);
    const { pathname, origin } = new URL(issuer);
    const path = pathname.replace(/\/$/, '');
    const first = await this.read(endpoint, `${origin}${path}/.well-known/openid-configuration`);
    const text =
      first instanceof Failure && first.cause.includes(NOT_FOUND)
        ? await this.read(endpoint, `${origin}/.well-known/oauth-authorization-server${path}`)
        : first;
    if (text instanceof Failure) return text;
    const metadata = objectIn(text);
    // RFC 8414 §3.3: metadata of another issuer must not be used.
    if (metadata?.issuer === undefined) return endpoint.failed('its metadata names no issuer');
    if (metadata.issuer !== issuer)
      return endpoint.failed(`its metadata is that of the issuer ${JSON.stringify(metadata.issuer)}`);
    const url = metadata.jwks_uri;
    if (typeof url !== 'string' || !URL.canParse(url))
      return endpoint.failed('its metadata names no jwks_uri');
    if (!this.isSafe(url)) return endpoint.failed(`its metadata names ${url}, which can be listened to`);
    return url;
  }

  private async read(endpoint: Endpoint, url: string): Promise<string | Failure> {
    const { pathname, search } = new URL(url);
    const headers = ['Accept', 'application/json', 'User-Agent', 'tidegate'];
    const answer = await endpoint.call(
      { method: 'GET', target: pathname + search, headers, body: null },
      this.config.timeout,
    );
    if (answer instanceof Failure) return answer;
    if (answer.status === 200) return answer.body.toString('utf8');
    return endpoint.failed(`${url} gives ${answer.status}${answer.status === 404 ? NOT_FOUND : ''}`);
  }

  private isSafe(url: string): boolean {
    const { protocol, hostname } = new URL(url);
    if (protocol === 'https:') return true;
    return protocol === 'http:' && (this.config.allowHttp || LOOPBACK.test(hostname));
  }

  private endpoint(url: string): Endpoint {
    const { origin } = new URL(url);
    const known = this.endpoints.get(origin);
    if (known !== undefined) return known;
    const made = new Endpoint(this.config.name, url, this.config.tls, this.parts);
    this.endpoints.set(origin, made);
    return made;
  }
}

const NOT_FOUND = ' (nothing is there)';
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

function objectIn(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
