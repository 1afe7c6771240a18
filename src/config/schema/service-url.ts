import { isIP } from 'node:net';
import type { TargetConfig } from '../model.ts';
import { type Complaint, leaf } from './kit.ts';
import { NOT_BUILT_VALUES } from './not-built.ts';
import { socketPathOf, unixUrlComplaint } from './unix-url.ts';

export const url = leaf<string>(
  'a URL such as http://127.0.0.1:4001',
  ['text', 'number'],
  (value) => urlComplaint(String(value)),
  { type: 'string' },
);

export function urlComplaint(text: string): Complaint | null {
  const scheme = /^([a-z][a-z0-9+.-]*):(?!\d)/i.exec(text)?.[1]?.toLowerCase();
  const laterSchemes: readonly string[] = NOT_BUILT_VALUES['Service.url'];
  if (scheme !== undefined && laterSchemes.includes(scheme)) {
    return {
      code: 'TG_CONFIG_NOT_BUILT',
      message: `"${scheme}:" is not built yet`,
      advice: 'in this version it can be http:, https: or unix:',
    };
  }
  if (scheme === undefined) return { message: 'this URL has no scheme', advice: `write "http://${text}"` };
  if (scheme === 'ws' || scheme === 'wss') {
    const advice = `write "${text.replace(/^ws/i, 'http')}": WebSockets pass through http and https services`;
    return { message: `"${scheme}:" is not a scheme of services`, advice };
  }
  if (scheme !== 'http' && scheme !== 'https' && scheme !== 'unix') {
    const advice = 'write http:// or https://, or unix:/path for a Unix socket';
    return { message: `"${scheme}:" is not a scheme of services`, advice };
  }
  if (/[{}]/.test(text)) {
    return {
      message: 'a service cannot be chosen by an expression',
      advice: /\$\{\w+\}/.test(text)
        ? 'what comes from the environment is written ${env.NAME}'
        : 'write one route for each service, with a condition in match',
    };
  }
  if (scheme === 'unix') return unixUrlComplaint(text);
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed === null || !/^https?:\/\/[^/]/i.test(text))
    return { message: `this is not a valid URL`, advice: badUrlAdvice(text) };
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

function badUrlAdvice(text: string): string {
  const port = /^https?:\/\/[^/]*:(\d+)/i.exec(text)?.[1];
  if (port !== undefined && Number(port) > 65_535) return 'a port is a number from 1 to 65535';
  const host = /^https?:\/\/([^/]*)/i.exec(text)?.[1] ?? '';
  if (isIP(host) === 6) return `write IPv6 addresses in brackets: http://[${host}]`;
  return 'write http:// or https://, a host, and a port where it is not the usual one';
}

/** The parts of a URL that `url` finds nothing wrong with. */
export function parseServiceUrl(text: string): Omit<TargetConfig, 'weight'> {
  if (/^unix:/i.test(text)) return { scheme: 'unix', host: socketPathOf(text), port: 0, path: '' };
  const parsed = new URL(text);
  const scheme = parsed.protocol === 'https:' ? 'https' : 'http';
  const port = parsed.port === '' ? (scheme === 'https' ? 443 : 80) : Number(parsed.port);
  return {
    scheme,
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port,
    path: parsed.pathname.replace(/\/+$/, ''),
  };
}
