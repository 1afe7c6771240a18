import type { MtlsProviderConfig } from '../config/model.ts';
import type { Value } from '../expression/index.ts';
import type { ClientCertificate, Exchange } from '../http/exchange.ts';
import { refused } from './bearer.ts';
import type { Challenge, Credential, Decision, Identity, Place, Provider } from './contract.ts';
import { compileMapping, type Mapping, revocationTags } from './mapping.ts';
import type { AuthParts } from './parts.ts';
import { CONNECTION, placesOf } from './places.ts';

/** The certificate that a client showed in the TLS handshake, which the listener has verified. */
export class MtlsProvider implements Provider {
  readonly name: string;
  readonly kind = 'mtls';
  readonly discoverable = false;
  readonly places: readonly Place[];
  readonly serviceHeaders: readonly string[] = [];
  readonly challenge: Challenge = { scheme: 'Certificate', params: [['realm', 'tidegate']] };
  readonly crossSite = false;
  private readonly mapping: Mapping;
  private readonly clock: AuthParts['clock'];
  /** One for all requests of a connection. */
  private readonly identities = new WeakMap<ClientCertificate, Identity>();

  constructor(config: MtlsProviderConfig, { clock }: Pick<AuthParts, 'clock'>) {
    this.name = config.name;
    this.places = placesOf(config);
    this.mapping = compileMapping(config);
    this.clock = clock;
  }

  recognises({ origin }: Exchange): Credential | null {
    if (origin.certificate === undefined) return null;
    return { value: origin.certificate.fingerprint.toString('hex'), place: CONNECTION };
  }

  isAddressed({ origin }: Exchange): boolean {
    return origin.certificate !== undefined;
  }

  authenticate(_credential: Credential, { origin }: Exchange): Decision {
    const certificate = origin.certificate!;
    // A connection may outlive it.
    if (this.clock.wall() >= certificate.validTo) return refused('the certificate has run out');
    let identity = this.identities.get(certificate);
    if (identity === undefined) {
      identity = this.identityOf(certificate);
      this.identities.set(certificate, identity);
    }
    return { kind: 'allowed', identity };
  }

  describe(): string {
    return 'the certificate of the connection says who it is';
  }

  close(): void {}

  private identityOf(certificate: ClientCertificate): Identity {
    const mapped = this.mapping({ claims: claimsOf(certificate), response: null });
    const tokenHash = certificate.fingerprint.toString('hex');
    const tags = revocationTags(mapped, tokenHash);
    return {
      ...mapped,
      provider: this.name,
      expiresAt: certificate.validTo,
      tokenHash,
      tags,
      sequence: null,
      toService: [],
      toClient: [],
    };
  }
}

/** `auth.claims`, and what templates see. */
function claimsOf(certificate: ClientCertificate): ReadonlyMap<Value, Value> {
  const { name, subject, issuer, alternative, fingerprint } = certificate;
  const san = new Map<Value, Value>(Object.entries(alternative).map(([kind, names]) => [kind, [...names]]));
  const claims = new Map<Value, Value>([
    ['sub', name ?? subject],
    ['dn', subject],
    ['issuer', issuer],
    ['san', san],
    ['fingerprint', fingerprint.toString('hex')],
  ]);
  if (name !== null) claims.set('cn', name);
  return claims;
}
