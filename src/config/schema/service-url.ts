import { isIP } from 'node:net';
import { type ServiceScheme, usualPort } from '../../util/service-scheme.ts';
import type { TargetConfig } from '../model.ts';
import { bracketsAdvice } from './address.ts';
import { type Complaint, leaf } from './kit.ts';
import { socketPathOf, unixUrlComplaint } from './unix-url.ts';

export const url = leaf<string>(
  'a URL such as http://127.0.0.1:4001',
  ['text', 'number'],
  (value) => urlComplaint(String(value)),
  { type: 'string' },
);

const SCHEMES: readonly string[] = ['http', 'https', 'h2c', 'h2', 'unix'] satisfies ServiceScheme[];

/** Schemes that other gateways and clients have, by the one to write. */
const OTHER_SCHEMES: Readonly<Record<string, { write: ServiceScheme; why: string }>> = {
  ws: { write: 'http', why: 'WebSockets pass through http and https services' },
  wss: { write: 'https', why: 'WebSockets pass through http and https services' },
  grpc: { write: 'h2c', why: 'gRPC passes through h2c and h2 services' },
  grpcs: { write: 'h2', why: 'gRPC passes through h2c and h2 services' },
};

/** What is wrong with the URL of a service; null if nothing. */
export function urlComplaint(text: string): Complaint | null {
  const scheme = schemeOf(text);
  const variable = /^\$(\w+)$/.exec(text)?.[1];
  if (variable !== undefined)
    return { message: `"${text}" fills nothing in`, advice: `write \${env.${variable}}` };
  if (scheme === null) return { message: 'this URL has no scheme', advice: `write "http://${text}"` };
  if (!SCHEMES.includes(scheme)) return schemeComplaint(scheme, text);
  if (/[{}]/.test(text)) {
    return {
      message: 'a service cannot be chosen by an expression',
      advice: /\$\{\w+\}/.test(text)
        ? 'what comes from the environment is written ${env.NAME}'
        : 'write one route for each service, with a condition in match',
    };
  }
  if (scheme === 'unix') return unixUrlComplaint(text);
  const web = asWebUrl(text);
  const parsed = URL.canParse(web) ? new URL(web) : null;
  if (parsed === null || !/^https?:\/\/[^/]/i.test(web))
    return { message: `this is not a valid URL`, advice: badUrlAdvice(web, scheme) };
  if (parsed.username !== '' || parsed.password !== '') {
    return {
      message: 'a user and password in the URL would not be sent',
      advice: 'say request: { headers: { set: { authorization: … } } }',
    };
  }
  if (parsed.search !== '' || parsed.hash !== '' || /[?#]/.test(text)) {
    return {
      message: 'the URL of a service ends with its path',
      advice: 'leave out what begins with ? or #; a query can stand in to.path',
    };
  }
  if (parsed.port === '0')
    return { message: '0 is not a port that can be connected to', advice: 'write a port from 1 to 65535' };
  return null;
}

/** In lower case; null where the text begins with none. */
export function schemeOf(text: string): string | null {
  return /^([a-z][a-z0-9+.-]*):(?!\d)/i.exec(text)?.[1]?.toLowerCase() ?? null;
}

function schemeComplaint(scheme: string, text: string): Complaint {
  const message = `"${scheme}:" is not a scheme of services`;
  const other = OTHER_SCHEMES[scheme];
  if (other === undefined)
    return {
      message,
      advice: 'write http:// or https://, h2c:// or h2:// for HTTP/2, or unix:/path for a Unix socket',
    };
  return { message, advice: `write "${other.write}${text.slice(scheme.length)}": ${other.why}` };
}

/** The same URL as HTTP/1.1 would have it: only the schemes of the web are parsed to hosts and usual ports. */
function asWebUrl(text: string): string {
  return text.replace(/^h2c:/i, 'http:').replace(/^h2:/i, 'https:');
}

function badUrlAdvice(web: string, scheme: string): string {
  const port = /^https?:\/\/[^/]*:(\d+)/i.exec(web)?.[1];
  if (port !== undefined && Number(port) > 65_535) return 'a port is a number from 1 to 65535';
  const host = /^https?:\/\/([^/]*)/i.exec(web)?.[1] ?? '';
  if (isIP(host) === 6) return bracketsAdvice(scheme, host);
  const begin = scheme.startsWith('h2') ? `${scheme}://` : 'http:// or https://';
  return `write ${begin}, a host, and a port where it is not the usual one`;
}

/** The parts of a URL that `url` finds nothing wrong with. */
export function parseServiceUrl(text: string): Omit<TargetConfig, 'weight'> {
  const scheme = schemeOf(text) as ServiceScheme;
  if (scheme === 'unix') return { scheme, host: socketPathOf(text), port: 0, path: '' };
  const parsed = new URL(asWebUrl(text));
  return {
    scheme,
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? usualPort(scheme) : Number(parsed.port),
    path: parsed.pathname.replace(/\/+$/, ''),
  };
}
