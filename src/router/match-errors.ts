import type { ConfigIssue, MatchConfig, ValueMatch } from '../config/model.ts';
import { addressError } from '../util/cidr.ts';
import { compilePattern, PatternError } from '../util/pattern.ts';
import { nearest } from '../util/suggest.ts';
import { hostError, portOf } from './host-pattern.ts';
import { PathPatternError } from './path-error.ts';
import { parsePathPattern } from './path-pattern.ts';

type Path = (string | number)[];

/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];

/**
 * All that is wrong with a match. `path` leads to it in the file; of a list that may also be written as one
 * value (`path`, `host`, `method`, `ip`) the place is that of its entry, `[…, 'path', 0]`.
 */
export function matchErrors(match: MatchConfig, path: Path): ConfigIssue[] {
  return [
    ...match.hosts.flatMap((host, i) => hostIssues(host, [...path, 'host', i])),
    ...match.paths.flatMap((text, i) => pathIssues(text, match.ignoreCase, [...path, 'path', i])),
    ...match.methods.flatMap((method, i) => methodIssues(method, [...path, 'method', i])),
    ...headerIssues(match.headers, [...path, 'headers']),
    ...valueIssues(match.query, [...path, 'query']),
    ...valueIssues(match.cookies, [...path, 'cookies']),
    ...match.ip.flatMap((address, i) => addressIssues(address, [...path, 'ip', i])),
  ];
}

function error(code: string, path: Path, message: string, advice?: string): ConfigIssue {
  return { code, severity: 'error', path, message, ...(advice === undefined ? {} : { advice }) };
}

function hostIssues(host: string, path: Path): ConfigIssue[] {
  const wrong = hostError(host);
  if (wrong !== null) return [error('TG_CONFIG_MATCH_HOST', path, wrong.message, wrong.advice)];
  const port = portOf(host);
  if (port === null) return [];
  const message = 'hosts are compared without the port';
  const advice = 'take it away; to tell ports apart, name listeners and use `listener`';
  const span: [number, number] = [host.length - port.length - 1, host.length];
  return [{ ...error('TG_CONFIG_MATCH_HOST', path, message, advice), severity: 'warning', span }];
}

function pathIssues(text: string, ignoreCase: boolean, path: Path): ConfigIssue[] {
  try {
    parsePathPattern(text, ignoreCase);
  } catch (failure) {
    if (!(failure instanceof PathPatternError)) throw failure;
    const issue = error('TG_CONFIG_MATCH_PATH', path, failure.message, failure.advice);
    return [{ ...issue, span: [failure.start, failure.end] }];
  }
  const colon = text.startsWith('~') ? null : /(?<=\/):([A-Za-z_]\w*)(?=\/|$)/.exec(text);
  if (colon === null) return [];
  const advice = `write \`{${colon[1]}}\` if any segment is meant`;
  const issue = error('TG_CONFIG_MATCH_PATH', path, `\`${colon[0]}\` is literal text here`, advice);
  return [{ ...issue, severity: 'warning', span: [colon.index, colon.index + colon[0].length] }];
}

function methodIssues(method: string, path: Path): ConfigIssue[] {
  if (!TOKEN.test(method)) {
    return [
      error(
        'TG_CONFIG_MATCH_METHOD',
        path,
        `"${method}" is no method`,
        'methods are words such as GET or POST',
      ),
    ];
  }
  if (method === 'CONNECT') {
    return [error('TG_CONFIG_MATCH_METHOD', path, 'CONNECT never reaches a route', 'the gateway refuses it')];
  }
  if (method === '*')
    return [error('TG_CONFIG_MATCH_METHOD', path, '"*" names no method', 'leave `method` out to match any')];
  const upper = method.toUpperCase();
  if (method !== upper && METHODS.includes(upper)) {
    return [
      error(
        'TG_CONFIG_MATCH_METHOD',
        path,
        `"${method}" never matches: methods are compared with case`,
        `write \`${upper}\``,
      ),
    ];
  }
  const meant = METHODS.includes(method) ? null : nearest(method, METHODS);
  if (meant === null) return [];
  const issue = error(
    'TG_CONFIG_MATCH_METHOD',
    path,
    `"${method}" is no method of HTTP itself`,
    `did you mean \`${meant}\`?`,
  );
  return [{ ...issue, severity: 'warning' }];
}

function headerIssues(headers: Record<string, ValueMatch>, path: Path): ConfigIssue[] {
  const seen = new Map<string, string>();
  const issues = valueIssues(headers, path);
  for (const name of Object.keys(headers)) {
    const at = [...path, name];
    const first = seen.get(name.toLowerCase());
    seen.set(name.toLowerCase(), name);
    if (!TOKEN.test(name)) {
      issues.push({
        ...error('TG_CONFIG_MATCH_HEADER', at, `"${name}" is no header name`, 'letters, digits and hyphens'),
        atKey: true,
      });
    } else if (first !== undefined) {
      const message = `"${name}" and "${first}" are one header: their names have no case`;
      issues.push({ ...error('TG_CONFIG_MATCH_HEADER', at, message, 'keep one of them'), atKey: true });
    }
  }
  return issues;
}

function valueIssues(values: Record<string, ValueMatch>, path: Path): ConfigIssue[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (typeof value !== 'string' || !value.startsWith('~')) return [];
    try {
      compilePattern(value.slice(1));
      return [];
    } catch (failure) {
      if (!(failure instanceof PatternError)) throw failure;
      const advice =
        'patterns are RE2: no look-around and no back-references; they must match the whole value';
      const from = 1 + Math.min(failure.offset ?? 0, value.length - 1);
      const issue = error('TG_CONFIG_MATCH_PATTERN', [...path, name], failure.message, advice);
      return [{ ...issue, span: [from, Math.max(value.length, from)] as [number, number] }];
    }
  });
}

function addressIssues(address: string, path: Path): ConfigIssue[] {
  const wrong = addressError(address);
  return wrong === null
    ? []
    : [error('TG_CONFIG_MATCH_IP', path, wrong, 'write an address or a range, as in 10.0.0.0/8')];
}
