import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { KubernetesApiConfig } from '../../../config/model.ts';

/** What a cluster gives each of its pods. Replaced in tests. */
export interface Pod {
  /** Where the kubelet puts the account of the pod. */
  readonly account: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export const POD: Pod = { account: '/var/run/secrets/kubernetes.io/serviceaccount', env: process.env };

/**
 * Where the API of the pod's own cluster is, and what to show it. To be asked for anew each time: the kubelet
 * replaces the token well before it runs out.
 */
export async function accessOfPod({ account, env }: Pod): Promise<KubernetesApiConfig> {
  const host = env.KUBERNETES_SERVICE_HOST;
  const port = env.KUBERNETES_SERVICE_PORT;
  if (!host || !port)
    throw new Error('KUBERNETES_SERVICE_HOST and _PORT are not set, so this is no pod: say "api" beside it');
  const [token, ca] = await Promise.all([read(join(account, 'token')), read(join(account, 'ca.crt'))]);
  return {
    url: `https://${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
    token,
    tls: { ca, cert: null, key: null, serverName: null, verify: true },
  };
}

async function read(file: string): Promise<string> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw new Error(`${file} cannot be read (${code})`);
    throw new Error(`there is no ${file}: does the pod say automountServiceAccountToken: false?`);
  }
  if (text === '') throw new Error(`${file} is empty`);
  return text;
}
