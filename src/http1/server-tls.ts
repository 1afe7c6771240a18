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
  certificates: { cert: string; key: string }[];
  minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Whose certificates clients may show; null: they are not asked for any. */
  client: { ca: string; required: boolean } | null;
}

/** What a TLS server shows and asks for; a change holds for connections to come. */
export class ServerTls {
  private choice: CertificateChoice;
  readonly options: TlsOptions;

  constructor(settings: TlsSettings) {
    this.choice = new CertificateChoice(settings);
    this.options = {
      ...contextOf(settings, settings.certificates[0]!),
      ...askingOf(settings),
      ALPNProtocols: ['http/1.1'],
      SNICallback: (name, done) => done(null, this.choice.forName(name)),
    };
  }

  /** @param server One that was made with these options. */
  update(server: TlsServer, settings: TlsSettings): void {
    this.choice = new CertificateChoice(settings);
    server.setSecureContext(contextOf(settings, settings.certificates[0]!));
    Object.assign(server, askingOf(settings));
  }
}

/** What a connection may use; of whom it takes certificates stands in each, for the name asked for chooses one. */
function contextOf(
  { minVersion, client }: TlsSettings,
  pair: TlsSettings['certificates'][number],
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

  constructor(tls: TlsSettings) {
    const { certificates } = tls;
    const contexts = certificates.map((pair) => createSecureContext(contextOf(tls, pair)));
    this.first = contexts[0]!;
    certificates.forEach((pair, index) => {
      for (const name of certificateNames(pair.cert))
        if (!this.byName.has(name)) this.byName.set(name, contexts[index]!);
    });
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
