import type { IncomingMessage } from 'node:http';
import type { KubernetesApiConfig, KubernetesDiscoverConfig } from '../../../config/model.ts';
import type { Random } from '../../../util/random.ts';
import { ask, type Call, whole } from '../call.ts';
import { parsed } from '../json.ts';
import { accessOfPod, type Pod } from './access.ts';
import { refusalOf } from './refusal.ts';

/** A watch is given 5 to 10 minutes by its server, as by Kubernetes' own clients. In seconds. */
const WATCH = 300;

/** Asks the API of a cluster for the EndpointSlices of a service. */
export class EndpointSliceApi {
  private readonly config: KubernetesDiscoverConfig;
  private readonly random: Random;
  private readonly pod: Pod;
  /** To the end of a list and to the head of a watch, in ms. */
  private readonly grace: number;

  constructor(config: KubernetesDiscoverConfig, random: Random, pod: Pod, grace: number) {
    this.config = config;
    this.random = random;
    this.pod = pod;
    this.grace = grace;
  }

  /** @param version Not older than this; null: as etcd has it, at whatever cost. */
  list(version: string | null, signal: AbortSignal): Promise<string> {
    const query = version === null ? {} : { resourceVersion: version, resourceVersionMatch: 'NotOlderThan' };
    return this.get(query, signal, async (response) => (await whole(response)).text);
  }

  /** What changes after `version`, one event a line. */
  watch(version: string, signal: AbortSignal): Promise<IncomingMessage> {
    const seconds = Math.round(WATCH * (1 + this.random.number()));
    const query = {
      watch: 'true',
      resourceVersion: version,
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(seconds),
    };
    return this.get(query, signal, async (response) => response);
  }

  private async get<T>(
    query: Record<string, string>,
    signal: AbortSignal,
    read: (response: IncomingMessage) => Promise<T>,
  ): Promise<T> {
    const { api, name } = this.config;
    const access = api ?? (await accessOfPod(this.pod));
    const selected = { labelSelector: `kubernetes.io/service-name=${name}`, ...query };
    const answer = await ask(this.call(access, selected), this.grace, signal, async (response) =>
      response.statusCode === 200 ? { read: await read(response) } : { refused: await whole(response) },
    );
    if ('read' in answer) return answer.read;
    throw refusalOf(answer.refused.status, statusIn(answer.refused.text), this.config);
  }

  private call({ url, token, tls }: KubernetesApiConfig, query: Record<string, string>): Call {
    const path = `/apis/discovery.k8s.io/v1/namespaces/${this.config.namespace}/endpointslices`;
    return {
      url: new URL(`${url}${path}?${new URLSearchParams(query)}`),
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      tls,
    };
  }
}

/** What stands between may refuse in HTML, say. */
function statusIn(text: string): unknown {
  try {
    return parsed(text);
  } catch {
    return null;
  }
}
