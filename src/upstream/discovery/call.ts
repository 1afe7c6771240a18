import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { UpstreamTlsConfig } from '../../config/model.ts';
import { type WholeAnswer, wholeAnswer } from '../../util/whole-answer.ts';
import { wordsOf } from '../error-words.ts';
import { tlsOptions } from '../tls-options.ts';

/** A question to who knows where a service is. */
export interface Call {
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  readonly tls: UpstreamTlsConfig;
}

/** The longest answer, and the longest line of one that goes on. Bytes. */
export const LONGEST_ANSWER = 16 * 1024 * 1024;
/** A peer that has gone without a word is noticed, also where nothing is to be said for long. In ms. */
const KEEP_ALIVE = 15_000;

/**
 * Asks on a connection of its own. What `read` makes of the answer must be there within `ms`; an answer that goes on
 * ends with `signal`. Throws in words.
 */
export function ask<T>(
  call: Call,
  ms: number,
  signal: AbortSignal,
  read: (response: IncomingMessage) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = get(call, signal);
    const fail = (error: Error) => {
      clearTimeout(late);
      reject(new Error(wordsOf(error)));
      request.destroy();
    };
    const late = setTimeout(() => fail(new Error(`no answer in ${ms} ms`)), ms).unref();
    request.on('error', fail);
    request.on('response', (response) => {
      read(response).then((made) => {
        clearTimeout(late);
        resolve(made);
      }, fail);
    });
  });
}

/** An answer with all of its content. */
export function whole(response: IncomingMessage): Promise<WholeAnswer> {
  return wholeAnswer(response, LONGEST_ANSWER);
}

function get({ url, headers, tls }: Call, signal: AbortSignal): ClientRequest {
  const options = {
    headers: { accept: 'application/json', 'user-agent': 'tidegate-discovery', ...headers },
    agent: false as const,
    signal,
  };
  const request =
    url.protocol === 'https:'
      ? httpsRequest(url, { ...options, ...tlsOptions({ tls }, hostOf(url)) })
      : httpRequest(url, options);
  request.setSocketKeepAlive(true, KEEP_ALIVE);
  request.end();
  return request;
}

/** IPv6 without the brackets that a URL has. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}
