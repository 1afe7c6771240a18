import type { ClientCredentialsConfig } from '../../config/model.ts';
import { Failure } from '../../http/errors.ts';
import type { ServiceCredential } from '../../pipeline/index.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { Endpoint, type EndpointParts } from '../call/index.ts';
import { requestToken } from './token-request.ts';

/** Seconds that a token is taken to hold whose server doesn't say. */
const USUAL = 300;
/** The share of its time after which a token is renewed, and ms before its end from which it counts no more. */
const RENEW = 0.8;
const MARGIN = 2_000;
/** A token that the service refuses is dropped, but not one younger than this, in ms: then it isn't the token. */
const FRESH = 5_000;
/** After a renewal that failed, in ms. */
const AGAIN = 1_000;

interface Held {
  readonly line: string;
  readonly since: number;
  /** As `since`, by `clock.now()`. */
  readonly until: number;
}

/**
 * The gateway's own credential for a service, from an auth server. It is renewed ahead of time for as long as it is
 * used, so that no request waits for it but the first; however many wait, one call is made.
 */
export class ServiceToken implements ServiceCredential {
  private readonly config: ClientCredentialsConfig;
  private readonly clock: Clock;
  private readonly endpoint: Endpoint;
  private held: Held | null = null;
  private flight: Promise<Failure | null> | null = null;
  private renewal: Timer | null = null;
  private used = false;
  private closed = false;

  constructor(service: string, config: ClientCredentialsConfig, parts: EndpointParts) {
    this.config = config;
    this.clock = parts.clock;
    this.endpoint = new Endpoint(`service ${service}`, config.tokenEndpoint, config.tls, parts);
  }

  ready(): Promise<Failure | null> | null {
    this.used = true;
    if (this.held !== null && this.clock.now() < this.held.until) return null;
    return this.renew();
  }

  line(): string {
    return this.held?.line ?? '';
  }

  refused(): void {
    if (this.held !== null && this.clock.now() - this.held.since > FRESH) this.held = null;
  }

  close(): void {
    this.closed = true;
    this.stop();
    this.endpoint.close();
  }

  private renew(): Promise<Failure | null> {
    this.flight ??= this.ask().finally(() => {
      this.flight = null;
    });
    return this.flight;
  }

  private async ask(): Promise<Failure | null> {
    const granted = await requestToken(this.config, this.endpoint);
    if (this.closed) return null;
    if (granted instanceof Failure) {
      this.schedule(AGAIN);
      return new Failure('TG_UPSTREAM_CREDENTIAL', granted.cause, granted.retryAfter);
    }
    const since = this.clock.now();
    const lifetime = (granted.expiresIn ?? USUAL) * 1000;
    const margin = Math.min(MARGIN, lifetime / 10);
    this.held = {
      line: `authorization: Bearer ${granted.token}\r\n`,
      since,
      until: since + lifetime - margin,
    };
    this.used = false;
    this.schedule(lifetime * RENEW);
    return null;
  }

  /** Once it falls due; where nobody used it meanwhile it is left to end. */
  private schedule(ms: number): void {
    this.stop();
    if (this.held === null) return;
    this.renewal = this.clock.after(ms, () => {
      this.renewal = null;
      if (this.used) void this.renew();
    });
  }

  private stop(): void {
    if (this.renewal !== null) this.clock.cancel(this.renewal);
    this.renewal = null;
  }
}
