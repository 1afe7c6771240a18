import { X509Certificate } from 'node:crypto';
import {
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type TlsOptions,
  type Server as TlsServer,
} from 'node:tls';

export interface TlsSettings {
  /** PEM text. The first is used where the client names no host that another certificate is for. */
  certificates: readonly { readonly cert: string; readonly key: string }[];
  /** Host names whose certificates are still to come: whoever asks for one is refused at once. Default: none. */
  awaited?: readonly string[];
  minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Whose certificates clients may show; null: they are not asked for any. */
  client: { ca: string; required: boolean } | null;
}

export const HTTP1 = 'http/1.1';
export const HTTP2 = 'h2';

/** What a TLS server shows and asks for; a change holds for connections to come. */
export class ServerTls {
  private choice: CertificateChoice;
  private protocols: readonly string[];
  readonly options: TlsOptions;

  /** @param protocols What is spoken, the preferred first (RFC 7301). */
  constructor(settings: TlsSettings, protocols: readonly string[] = [HTTP1]) {
    this.choice = new CertificateChoice(settings);
    this.protocols = protocols;
    this.options = {
      ...contextOf(settings, settings.certificates[0]),
      ...askingOf(settings),
      ALPNCallback: ({ protocols: offered }) => this.protocols.find((one) => offered.includes(one)),
      SNICallback: (name, done) => done(null, this.choice.forName(name)),
    };
  }

  /** @param server One that was made with these options. */
  update(server: TlsServer, settings: TlsSettings, protocols: readonly string[] = [HTTP1]): void {
    this.choice = new CertificateChoice(settings, this.choice);
    this.protocols = protocols;
    server.setSecureContext(contextOf(settings, settings.certificates[0]));
    Object.assign(server, askingOf(settings));
  }
}

/**
 * What a connection may use; of whom it takes certificates stands in each, for the name asked for chooses one. Without
 * a certificate each handshake ends with the alert handshake_failure.
 */
function contextOf(
  { minVersion, client }: TlsSettings,
  pair: TlsSettings['certificates'][number] | undefined,
): SecureContextOptions {
  return { ...pair, minVersion, ...(client === null ? {} : { ca: client.ca }) };
}

/** One that is not required is looked at once it is there. */
function askingOf({ client }: TlsSettings): { requestCert: boolean; rejectUnauthorized: boolean } {
  return { requestCert: client !== null, rejectUnauthorized: client?.required ?? false };
}

/** The certificate for the name a client asks for (RFC 6066 §3), the first where none fits. */
class CertificateChoice {
  private readonly first: SecureContext;
  private readonly byName = new Map<string, SecureContext>();
  /** By all that they are made of. */
  private readonly made = new Map<string, SecureContext>();

  /** @param before The choice that this one takes the place of: what is as it was there is not made again. */
  constructor(tls: TlsSettings, before: CertificateChoice | null = null) {
    for (const pair of tls.certificates) {
      const options = contextOf(tls, pair);
      const parts = JSON.stringify(options);
      const context = before?.made.get(parts) ?? createSecureContext(options);
      this.made.set(parts, context);
      for (const name of certificateNames(pair.cert))
        if (!this.byName.has(name)) this.byName.set(name, context);
    }
    const [first] = this.made.values();
    this.first = first ?? createSecureContext(contextOf(tls, undefined));
  }

  forName(asked: string): SecureContext {
    const name = asked.toLowerCase();
    return this.byName.get(name) ?? this.byName.get(`*${name.slice(name.indexOf('.'))}`) ?? this.first;
  }
}

function certificateNames(pem: string): string[] {
  const names = new X509Certificate(pem).subjectAltName ?? '';
  return names
    .split(', ')
    .filter((name) => name.startsWith('DNS:'))
    .map((name) => name.slice(4).toLowerCase());
}
