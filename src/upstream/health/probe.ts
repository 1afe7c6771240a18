import { request as httpRequest } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { LONGEST_WAIT } from '../../util/clock.ts';
import { usesHttp2, usesTls } from '../../util/service-scheme.ts';
import { connectPlace, isSocketPath } from '../../util/unix-socket.ts';
import { wordsOf } from '../error-words.ts';
import { statusIn } from '../retry.ts';
import { tlsOptions } from '../tls-options.ts';
import type { CheckPlan } from './plan.ts';

/** Null: the target is well. Else what is wrong, in words. */
export type Finding = string | null;

/** Asks a target once, on a connection of its own, within the check's own time. */
export function probe(plan: CheckPlan, done: (finding: Finding) => void): () => void {
  let over = false;
  const finish = (finding: Finding) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    stop();
    done(finding);
  };
  const { timeout } = plan.check;
  const timer = setTimeout(() => finish(`no answer in ${timeout} ms`), Math.min(timeout, LONGEST_WAIT));
  const stop = wayOf(plan)(plan, finish);
  timer.unref();
  return () => {
    over = true;
    clearTimeout(timer);
    stop();
  };
}

/** Begins to ask; gives back what ends it. */
type Ask = (plan: CheckPlan, finish: (finding: Finding) => void) => () => void;

function wayOf({ scheme, check }: CheckPlan): Ask {
  if (check.kind !== 'http') return openConnection;
  return usesHttp2(scheme) ? askByHttp2 : askByHttp;
}

/** Prior knowledge, or ALPN, as requests go (RFC 9113 §3.2, §3.3). */
function askByHttp2(plan: CheckPlan, finish: (finding: Finding) => void): () => void {
  const { scheme, path, authority, check } = plan;
  if (check.kind !== 'http') throw new TypeError('not an HTTP check');
  const socket = socketTo(plan);
  const session = connectHttp2('http://service', {
    createConnection: () => socket,
    settings: { enablePush: false },
  });
  session.on('error', (error) => finish(wordsOf(error)));
  const stream = session.request({
    ':method': check.method,
    ':scheme': usesTls(scheme) ? 'https' : 'http',
    ':authority': authority,
    ':path': path + check.path,
    'user-agent': 'tidegate-health',
  });
  stream.on('response', (fields) => {
    const status = fields[':status'] ?? 0;
    finish(statusIn(status, check.status) ? null : `status ${status}`);
  });
  stream.on('error', (error) => finish(wordsOf(error)));
  stream.on('close', () => finish(`the stream was reset (${stream.rstCode})`));
  return () => {
    session.destroy();
    socket.destroy();
  };
}

function askByHttp(plan: CheckPlan, finish: (finding: Finding) => void): () => void {
  const { scheme, host, port, path, authority, check } = plan;
  if (check.kind !== 'http') throw new TypeError('not an HTTP check');
  const headers = { host: authority, 'user-agent': 'tidegate-health', connection: 'close' };
  const options = {
    ...(isSocketPath(host) ? { socketPath: host } : { host, port }),
    path: path + check.path,
    method: check.method,
    headers,
    agent: false as const,
  };
  const request =
    scheme === 'https'
      ? httpsRequest({ ...options, ...tlsOptions(plan, plan.certified) })
      : httpRequest(options);
  request.on('response', (response) => {
    const status = response.statusCode ?? 0;
    response.resume();
    finish(statusIn(status, check.status) ? null : `status ${status}`);
  });
  request.on('error', (error) => finish(wordsOf(error)));
  request.end();
  return () => request.destroy();
}

function openConnection(plan: CheckPlan, finish: (finding: Finding) => void): () => void {
  const socket = socketTo(plan);
  socket.once(usesTls(plan.scheme) ? 'secureConnect' : 'connect', () => finish(null));
  socket.on('error', (error) => finish(wordsOf(error)));
  return () => socket.destroy();
}

function socketTo(plan: CheckPlan): Socket {
  const { scheme, host, port } = plan;
  if (!usesTls(scheme)) return connect(connectPlace(host, port));
  return connectTls({
    host,
    port,
    ...tlsOptions(plan, plan.certified, usesHttp2(scheme) ? 'h2' : 'http/1.1'),
  });
}
