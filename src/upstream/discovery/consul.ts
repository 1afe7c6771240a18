import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { ConsulDiscoverConfig } from '../../config/model.ts';
import type { Random } from '../../util/random.ts';
import { wordsOf } from '../error-words.ts';
import { tlsOptions } from '../tls-options.ts';
import { targetsOf } from './consul-answer.ts';
import type { Discovered, DiscoveredTarget } from './source.ts';

/** In ms. Replaced in tests. */
export interface ConsulTimes {
  /** How long Consul may hold an answer back while nothing changes. */
  readonly wait: number;
  /** To the end of an answer that is not held back, and what one that is may come late. */
  readonly grace: number;
}

const TIMES: ConsulTimes = { wait: 30_000, grace: 10_000 };
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 16_000;
const MAX_BODY = 16 * 1024 * 1024;

interface Answer {
  readonly targets: DiscoveredTarget[];
  readonly index: number;
}

/**
 * Follows a service by the blocking queries of Consul's health API: each answer has an index, and the next one is
 * held back until something has changed since.
 */
export class ConsulWatch {
  private readonly config: ConsulDiscoverConfig;
  private readonly random: Random;
  private readonly times: ConsulTimes;
  /** 0: the next answer is not to be held back. */
  private index = 0;
  private failures = 0;

  constructor(config: ConsulDiscoverConfig, random: Random, times = TIMES) {
    this.config = config;
    this.random = random;
    this.times = times;
  }

  ask(done: Discovered, signal: AbortSignal): void {
    askOnce(this.config, this.index, this.times, signal, (answer) => {
      if (answer instanceof Error) return this.failed(answer, done);
      this.failures = 0;
      this.index = nextIndex(this.index, answer.index);
      done(null, answer.targets, 0);
    });
  }

  /** Consul may have begun anew meanwhile, so what is asked next does not build on what it said before. */
  private failed(error: Error, done: Discovered): void {
    this.index = 0;
    const pause = Math.min(FIRST_PAUSE * 2 ** this.failures++, LONGEST_PAUSE);
    // Not all workers and nodes at once.
    done(error, [], pause * (1 + this.random.number() / 2));
  }
}

/** As its documentation asks of clients: one that went backwards is forgotten, and 0 would never be waited for. */
function nextIndex(asked: number, answered: number): number {
  return answered < asked ? 0 : Math.max(answered, 1);
}

/** On a connection of its own, within a deadline. */
function askOnce(
  config: ConsulDiscoverConfig,
  index: number,
  { wait, grace }: ConsulTimes,
  signal: AbortSignal,
  done: (answer: Answer | Error) => void,
): void {
  // Consul adds up to a sixteenth to what it is asked to wait.
  const deadline = grace + (index === 0 ? 0 : wait + wait / 16);
  let over = false;
  const finish = (answer: Answer | Error) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    request.destroy();
    done(answer);
  };
  const timer = setTimeout(() => finish(new Error(`no answer in ${deadline} ms`)), deadline).unref();
  const fail = (error: Error) => finish(new Error(wordsOf(error)));
  const headers = {
    accept: 'application/json',
    'user-agent': 'tidegate-discovery',
    ...(config.token === null ? {} : { 'x-consul-token': config.token }),
  };
  const url = urlOf(config, index, wait);
  const options = { headers, agent: false, signal };
  const request =
    url.protocol === 'https:'
      ? httpsRequest(url, { ...options, ...tlsOptions(config, hostOf(url)) })
      : httpRequest(url, options);
  request.on('error', fail);
  request.on('response', (response) => {
    response.on('error', fail);
    if (response.statusCode !== 200) return finish(new Error(refusal(response.statusCode)));
    readText(response, (text) => finish(text instanceof Error ? text : answerOf(response, text)));
  });
  request.end();
}

function urlOf({ url, name }: ConsulDiscoverConfig, index: number, wait: number): URL {
  const held = index === 0 ? '' : `&index=${index}&wait=${wait}ms`;
  return new URL(`${url}/v1/health/service/${encodeURIComponent(name)}?passing${held}`);
}

/** IPv6 without the brackets that a URL has. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function refusal(status: number | undefined): string {
  return status === 403 ? 'status 403: Consul does not take the token' : `status ${status}`;
}

function readText(response: IncomingMessage, done: (text: string | Error) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_BODY) return done(new Error(`the answer is longer than ${MAX_BODY} bytes`));
    chunks.push(chunk);
  });
  response.on('end', () => done(Buffer.concat(chunks).toString()));
}

function answerOf({ headers }: IncomingMessage, text: string): Answer | Error {
  const index = headers['x-consul-index'];
  if (typeof index !== 'string' || !/^\d{1,15}$/.test(index))
    return new Error('the answer has no X-Consul-Index: is this the HTTP API of Consul?');
  try {
    return { targets: targetsOf(text), index: Number(index) };
  } catch (error) {
    return error as Error;
  }
}
