import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { type Complaint, leaf, object, oneOrMore } from './kit.ts';
import { filledText, word } from './values.ts';

const LONGEST_NAME = 253;

const email = leaf<string>(
  'an email address',
  ['text'],
  (value): Complaint | null => {
    if (/^[\w.!#$&'*+=^`{|}~-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i.test(String(value))) return null;
    return {
      message: `"${value}" is no email address`,
      advice: 'write one at which you read of trouble with your certificates, such as ops@example.com',
    };
  },
  { type: 'string', pattern: '@' },
);

const host = leaf<string>('a host name', ['text'], (value) => hostComplaint(String(value)), {
  type: 'string',
  minLength: 1,
});

/** A name that an authority can look at by asking the gateway. */
function hostComplaint(name: string): Complaint | null {
  if (name.startsWith('*.'))
    return {
      message: `a certificate for "${name}" takes proof by DNS (dns-01), which the gateway does not give`,
      advice:
        'name each host; or get this one with a tool that writes to your DNS, and name its files in cert and key',
    };
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0)
    return {
      message: `"${name}" is an address, and clients ask for a certificate by name`,
      advice: 'write the host name that stands in the URL',
    };
  if (/[^\u0000-\u007f]/.test(name))
    return {
      message: `"${name}" is not spelled as DNS has it`,
      advice: `write "${domainToASCII(name) || 'xn--…'}"`,
    };
  if (/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(name))
    return name.length <= LONGEST_NAME ? null : { message: `"${name}" is too long for a host name` };
  return {
    message: `"${name}" is no host name`,
    advice: 'write the name alone, without scheme, port and path: shop.example.com',
  };
}

const directory = leaf<string>(
  'a URL',
  ['text'],
  (value): Complaint | null => {
    const text = String(value);
    if (URL.canParse(text) && new URL(text).protocol === 'https:' && new URL(text).username === '')
      return null;
    return {
      message: `"${value}" is no URL of https`,
      advice:
        'write where the authority has its directory, such as https://acme-v02.api.letsencrypt.org/directory',
    };
  },
  { type: 'string', pattern: '^https://' },
);

const hmacKey = leaf<string>(
  'a key as the authority gave it (base64url)',
  ['text'],
  (value): Complaint | null =>
    /^[A-Za-z0-9_-]{16,}=*$/.test(String(value))
      ? null
      : {
          message: 'this is no key of an external account',
          advice: 'copy it as the authority shows it (base64url)',
        },
  { type: 'string', minLength: 1 },
);

export const acme = object('Acme', 'acme', {
  email: email.describe('Where the authority may write about your certificates.'),
  hosts: oneOrMore('a host name', host).describe(
    'Host names; each gets a certificate of its own. Clients that name no host, or another one, are shown the first.',
  ),
  directory: directory
    .optional()
    .describe(
      "The directory of the authority, whose terms you agree to by using it. Default https://acme-v02.api.letsencrypt.org/directory (Let's Encrypt).",
    ),
  storage: filledText
    .optional()
    .describe(
      'Folder in which the key of the account and the certificates are kept; make it last. Default: acme, beside the config.',
    ),
  challenge: word(['http-01', 'tls-alpn-01'])
    .optional()
    .describe(
      'How the authority makes sure that a host is yours: it asks on port 80 (http-01) or on port 443 (tls-alpn-01). Default http-01 where a listener without TLS is there, else tls-alpn-01.',
    ),
  ca: filledText
    .optional()
    .describe(
      'Whom to trust that it is the authority: path of a PEM file, or the text itself. Default: as the system does.',
    ),
  eab: object('AcmeBinding', 'eab', {
    kid: filledText.describe('The key id that the authority gave you.'),
    key: hmacKey.describe('The key that the authority gave you (base64url).'),
  })
    .optional()
    .describe('Ties the account to one that you have at the authority (external account binding).'),
});
