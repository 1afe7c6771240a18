import { isIP } from 'node:net';
import { acme } from './acme.ts';
import { addressComplaint } from './address.ts';
import { type Complaint, leaf, list, object, oneOf, onlyOne, type Rule, someOf } from './kit.ts';
import {
  addressRange,
  bearerToken,
  boolean,
  bound,
  byteRateOrNone,
  FILLED,
  filledText,
  integer,
  integerOrNone,
  name,
  sizeOfHead,
  sizeOrNone,
  word,
} from './values.ts';

const address = leaf<string>(
  'an address such as 127.0.0.1:8080',
  ['text', 'number'],
  (value): Complaint | null => addressComplaint(String(value)),
  { type: 'string' },
);

const certificate = object('Certificate', 'a certificate', {
  cert: filledText.describe('Path of the certificate chain (PEM), or the PEM text itself.'),
  key: filledText.describe('Path of its private key (PEM), or the PEM text itself.'),
});

/** `cert` with `key`, or `certs`, or `acme`. */
const oneSourceOfCertificates =
  (others: string): Rule =>
  (tls, report) => {
    const single = 'cert' in tls || 'key' in tls;
    if ('acme' in tls) return void onlyOne(tls, ['acme', 'certs', 'cert', 'key'], report);
    if (single && 'certs' in tls) {
      const path = ['cert' in tls ? 'cert' : 'key'];
      report({
        code: 'TG_CONFIG_CONFLICT',
        path,
        atKey: true,
        also: ['certs'],
        message: '"cert" and "key" stand beside "certs"',
        advice: 'move them into the list',
      });
      return;
    }
    if ('certs' in tls) return;
    const missing = ['cert', 'key'].filter((key) => !(key in tls));
    if (missing.length === 0) return;
    report({
      code: 'TG_CONFIG_MISSING',
      path: [],
      message: `"${missing.join('" and "')}" ${missing.length === 1 ? 'is' : 'are'} missing`,
      advice: `tls needs cert and key, ${others}`,
    });
  };

const clientAuthNeedsCa: Rule = (tls, report) => {
  if (!('clientAuth' in tls) || 'clientCa' in tls || tls.clientAuth === 'none') return;
  report({
    code: 'TG_CONFIG_MISSING',
    path: ['clientAuth'],
    atKey: true,
    message: '"clientCa" is missing: nobody could vouch for a certificate',
    advice: 'name the file with the certificates of your authority (PEM)',
  });
};

const tlsKeys = {
  cert: filledText.optional().describe('Path of the certificate chain (PEM), or the PEM text itself.'),
  key: filledText.optional().describe('Path of its private key (PEM), or the PEM text itself.'),
  certs: list('a list of certificates', certificate)
    .optional()
    .describe('Several certificates, chosen by the name the client asks for; the first where it names none.'),
  minVersion: word(['1.2', '1.3'], ['number'])
    .optional()
    .describe('Oldest TLS version that is accepted. Default 1.2.'),
  clientCa: filledText
    .optional()
    .describe('Authorities whose certificates clients may show: path of a PEM file, or the text itself.'),
  clientAuth: word(['none', 'optional', 'required'])
    .optional()
    .describe('Whether clients must show one. Default required beside clientCa.'),
};

const tls = object(
  'ListenerTls',
  'tls',
  {
    ...tlsKeys,
    acme: acme
      .optional()
      .describe(
        "Certificates that the gateway gets and renews by itself, from Let's Encrypt or another authority.",
      ),
  },
  [oneSourceOfCertificates('or certs: a list of these, or acme: { email, hosts }'), clientAuthNeedsCa],
);

const adminTls = object('AdminTls', 'tls', tlsKeys, [
  oneSourceOfCertificates('or certs: a list of these'),
  clientAuthNeedsCa,
]);

const limits = object('ListenerLimits', 'limits', {
  uri: sizeOfHead.optional().describe('Longest request target (414). Default 8KiB.'),
  head: sizeOfHead.optional().describe('Largest request head (431). Default 32KiB.'),
  headers: integer(1, 10_000).optional().describe('Most header fields of a request (431). Default 100.'),
  body: sizeOrNone.optional().describe('Largest request body (413). Default none.'),
  headTimeout: bound.optional().describe('Longest time a request head may take (408). Default 10s.'),
  bodyTimeout: bound.optional().describe('Longest pause in a request body (408). Default 30s.'),
  sendTimeout: bound.optional().describe('Longest pause of a client that takes no bytes. Default 30s.'),
  minRate: byteRateOrNone
    .optional()
    .describe('Clients that send a body slower than this over 10 s are cut off. Default none.'),
  idleTimeout: bound.optional().describe('How long an idle connection is kept. Default 75s.'),
  connectionsPerClient: integerOrNone(1, 1_000_000)
    .optional()
    .describe('Most connections of one client address, of a node. Default none.'),
});

const listener = object('Listener', 'a listener', {
  name: name.optional().describe('Its name, for match.listener. Default main, then main2, main3.'),
  address: address.describe('Address and port, such as 0.0.0.0:443 or [::]:80.'),
  tls: tls.optional().describe('Makes it an HTTPS listener.'),
  http2: boolean
    .optional()
    .describe(
      'HTTP/2 for clients that ask for it: in the TLS handshake, or, without TLS, by beginning with its preface. Default true with TLS, else false.',
    ),
  trustedProxies: oneOf('an IP address or CIDR range, or a list of these', [
    addressRange,
    list('a list of addresses', addressRange),
  ])
    .optional()
    .describe('Proxies whose forwarded headers are believed. Default: nobody.'),
  limits: limits.optional().describe('What a client may send, and how slowly.'),
});

export const listen = oneOf('an address, a listener, or a list of listeners', [
  address,
  listener,
  someOf('a list of listeners', oneOf('an address or a listener', [address, listener])),
]);

const readyPath = leaf<string>(
  'a path such as /_/ready',
  ['text'],
  (value): Complaint | null => {
    if (
      /^\/[A-Za-z0-9._~/-]+$/.test(String(value)) &&
      !/(?:^|\/)\.{0,2}(?:\/|$)/.test(String(value).slice(1))
    )
      return null;
    return {
      message: `${JSON.stringify(value)} is not one plain path`,
      advice: 'write a path of letters, digits and - . _ ~ such as /_/ready, without patterns and a query',
    };
  },
  { type: 'string', pattern: '^/' },
);

/** A name that can stand in a Host, where its port does not count; an address of IPv6 with or without brackets. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

const adminHost = leaf<string>(
  'a host name',
  ['text'],
  (value): Complaint | null => {
    const text = String(value);
    if (HOST.test(text) || isIP(text) === 6) return null;
    return {
      message: `${JSON.stringify(text)} is no host name`,
      advice: 'write each name alone, without scheme, path and *: admin.example.com',
    };
  },
  { type: 'string', minLength: 1 },
);

export const admin = oneOf('an address, false, or { address, token, hosts, tls, readyPath }', [
  leaf<string | false>(
    'an address such as 127.0.0.1:9901, or false',
    ['text', 'number', 'boolean'],
    (value): Complaint | null => {
      if (value === false) return null;
      if (value === true)
        return { message: 'true does not say where', advice: 'write an address such as 127.0.0.1:9901' };
      if (/^(no|none|off)$/i.test(String(value)))
        return { message: `"${value}" is not an address`, advice: 'write false to switch it off' };
      return addressComplaint(String(value));
    },
    { anyOf: [{ type: 'string' }, { const: false }] },
  ),
  object('Admin', 'admin', {
    address: address.optional().describe('Default 127.0.0.1:9901.'),
    token: bearerToken
      .optional()
      .describe('Asked for as Authorization: Bearer. Any address but loopback needs one.'),
    hosts: oneOf('a host name, or a list of these', [adminHost, list('a list of host names', adminHost)])
      .optional()
      .describe('Names by which it may be asked, beside its address and localhost.'),
    tls: adminTls.optional().describe('Makes it an HTTPS listener.'),
    readyPath: readyPath
      .optional()
      .describe(
        'A path on which the main listeners answer as /readyz does: 200 while requests are welcome, else 503. Before all routes, uncounted. Default: none.',
      ),
  }),
]);

export const workers = leaf<number | 'auto' | string>(
  'a number of processes, or auto',
  ['number', 'text'],
  (value): Complaint | null => {
    if (value === 'auto') return null;
    const advice = 'write a whole number from 1 to 1024, or auto for one a core';
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 1024) return null;
    return {
      message: `${typeof value === 'string' ? `"${value}"` : value} is not a number of processes`,
      advice,
    };
  },
  {
    anyOf: [
      { type: 'integer', minimum: 1, maximum: 1024 },
      { const: 'auto' },
      { type: 'string', pattern: FILLED },
    ],
  },
);
