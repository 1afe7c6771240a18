import { type ErrorCode, Failure } from '../http/errors.ts';
import { trimOws } from '../http/headers.ts';
import { tlsTrouble } from '../util/tls-trouble.ts';
import { socketTrouble } from '../util/unix-socket.ts';
import type { ResponseHead } from './head.ts';

/** How long the answer's content is: 0 for none, -1 where only its coding tells (RFC 9112 §6.3). */
export function contentLength(method: string, head: ResponseHead): number {
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return 0;
  return head.chunked ? -1 : head.contentLength;
}

/** `Keep-Alive: timeout=5` with a second to spare, so that a request never meets the service's own close. */
export function keepAliveTimeout(field: string): number {
  const seconds = /(?:^|[,\s])timeout="?(\d{1,6})/i.exec(field)?.[1];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Math.max(0, Number(seconds) - 1) * 1000;
}

export function namesProtocol(asked: string, got: string): boolean {
  const protocols = asked.toLowerCase().split(',').map(trimOws);
  return protocols.includes(trimOws(got).toLowerCase());
}

export function connectFailure(error: NodeJS.ErrnoException): Failure {
  const code: ErrorCode =
    error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN'
      ? 'TG_UPSTREAM_DNS'
      : isTlsError(error)
        ? 'TG_UPSTREAM_TLS'
        : 'TG_UPSTREAM_REFUSED';
  return new Failure(code, socketTrouble(error) ?? tlsTrouble(error) ?? error.message);
}

function isTlsError(error: NodeJS.ErrnoException): boolean {
  const code = error.code ?? '';
  return (
    code.startsWith('ERR_TLS') ||
    code.startsWith('ERR_SSL') ||
    code.startsWith('CERT_') ||
    /^(?:UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|EPROTO|HOSTNAME_MISMATCH)/.test(code)
  );
}
