import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
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
  const timer = setTimeout(() => finish(`no answer in ${plan.check.timeout} ms`), plan.check.timeout);
  const stop = plan.check.kind === 'http' ? askByHttp(plan, finish) : openConnection(plan, finish);
  timer.unref();
  return () => {
    over = true;
    clearTimeout(timer);
    stop();
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
  const { scheme, host, port } = plan;
  const socket =
    scheme === 'https'
      ? connectTls({ host, port, ...tlsOptions(plan, plan.certified) })
      : connect(connectPlace(host, port));
  socket.once(scheme === 'https' ? 'secureConnect' : 'connect', () => finish(null));
  socket.on('error', (error) => finish(wordsOf(error)));
  return () => socket.destroy();
}
