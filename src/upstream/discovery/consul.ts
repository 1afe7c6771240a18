import type { ConsulDiscoverConfig } from '../../config/model.ts';
import type { Random } from '../../util/random.ts';
import type { WholeAnswer } from '../../util/whole-answer.ts';
import { Backoff } from './backoff.ts';
import { ask, type Call, whole } from './call.ts';
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
  private readonly backoff: Backoff;
  private readonly times: ConsulTimes;
  /** 0: the next answer is not to be held back. */
  private index = 0;

  constructor(config: ConsulDiscoverConfig, random: Random, times = TIMES) {
    this.config = config;
    this.backoff = new Backoff(random);
    this.times = times;
  }

  ask(done: Discovered, signal: AbortSignal): void {
    askOnce(this.config, this.index, this.times, signal).then(
      ({ targets, index }) => {
        this.backoff.reset();
        this.index = nextIndex(this.index, index);
        done(null, targets, 0);
      },
      (error: Error) => {
        // Consul may have begun anew meanwhile, so what is asked next does not build on what it said before.
        this.index = 0;
        done(error, [], this.backoff.next());
      },
    );
  }
}

/** As its documentation asks of clients: one that went backwards is forgotten, and 0 would never be waited for. */
function nextIndex(asked: number, answered: number): number {
  return answered < asked ? 0 : Math.max(answered, 1);
}

async function askOnce(
  config: ConsulDiscoverConfig,
  index: number,
  { wait, grace }: ConsulTimes,
  signal: AbortSignal,
): Promise<Answer> {
  // Consul adds up to a sixteenth to what it is asked to wait.
  const deadline = grace + (index === 0 ? 0 : wait + wait / 16);
  return answerOf(await ask(callOf(config, index, wait), deadline, signal, whole));
}

function callOf({ url, name, token, tls }: ConsulDiscoverConfig, index: number, wait: number): Call {
  const held = index === 0 ? '' : `&index=${index}&wait=${wait}ms`;
  return {
    url: new URL(`${url}/v1/health/service/${encodeURIComponent(name)}?passing${held}`),
    headers: token === null ? {} : { 'x-consul-token': token },
    tls,
  };
}

function answerOf({ status, headers, text }: WholeAnswer): Answer {
  if (status !== 200) throw new Error(refusal(status));
  const index = headers['x-consul-index'];
  if (typeof index !== 'string' || !/^\d{1,15}$/.test(index))
    throw new Error('the answer has no X-Consul-Index: is this the HTTP API of Consul?');
  return { targets: targetsOf(text), index: Number(index) };
}

function refusal(status: number): string {
  return status === 403 ? 'status 403: Consul does not take the token' : `status ${status}`;
}
