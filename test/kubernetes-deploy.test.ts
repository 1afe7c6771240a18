import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadObject } from '../src/config/index.ts';
import { refusalOf } from '../src/upstream/discovery/kubernetes/refusal.ts';

// biome-ignore lint/suspicious/noExplicitAny: objects of Kubernetes, of which each test reads a part.
type Manifest = any;

/** The objects of a file in deploy/kubernetes/, by kind. */
function manifests(name: string): Record<string, Manifest> {
  const text = readFileSync(new URL(`../deploy/kubernetes/${name}`, import.meta.url), 'utf8');
  const all = parseAllDocuments(text).map((document) => document.toJS() as Manifest);
  return Object.fromEntries(all.map((each) => [each.kind, each]));
}

const gateway = manifests('gateway.yaml');
const rbac = manifests('rbac.yaml');
const pod = gateway.Deployment.spec.template.spec;
const [container] = pod.containers;

describe('what deploy/kubernetes/ runs', () => {
  const text = gateway.ConfigMap.data['tidegate.yaml'];
  const { config, issues } = loadObject(parse(text), '.', { env: { TIDEGATE_ADMIN_TOKEN: 't0ken' } });

  it('has a config that is in order', () => {
    expect(issues).toEqual([]);
    expect(config!.services.catalogue!.discover).toMatchObject({ kind: 'kubernetes', api: null });
  });

  it('gives each pod more time to end than its drain takes', () => {
    const { delay, timeout } = config!.drain;
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(delay + timeout);
  });

  it('asks the admin listener whether a pod is alive and ready, and sends requests where it listens', () => {
    const ports = new Map(
      container.ports.map(({ name, containerPort }: Manifest) => [name, containerPort] as const),
    );
    expect(container.livenessProbe.httpGet.path).toBe('/healthz');
    expect(container.readinessProbe.httpGet.path).toBe('/readyz');
    for (const { httpGet } of [container.livenessProbe, container.readinessProbe])
      expect(ports.get(httpGet.port)).toBe(config!.admin!.port);
    expect(config!.admin!.host).toBe('0.0.0.0');
    expect(ports.get(gateway.Service.spec.ports[0].targetPort)).toBe(config!.listen[0]!.port);
  });

  it('mounts the config as a folder, so that a change of it is seen', () => {
    const mount = container.volumeMounts.find(({ name }: Manifest) => name === 'config');
    expect(mount.subPath).toBeUndefined();
    const dockerfile = readFileSync(new URL('../deploy/kubernetes/Dockerfile', import.meta.url), 'utf8');
    expect(dockerfile).toContain(`"${mount.mountPath}/tidegate.yaml"`);
  });

  it('may do just what the log asks for where a right is missing', () => {
    const { namespace, name } = gateway.ServiceAccount.metadata;
    expect(pod.serviceAccountName).toBe(name);
    const refusal = refusalOf(
      403,
      { message: `User "system:serviceaccount:${namespace}:${name}" cannot list` },
      { namespace: 'shop' },
    );
    const told = parse(refusal.message.slice(refusal.message.indexOf('!!map')));
    expect([rbac.Role, rbac.RoleBinding]).toEqual(told.items);
  });
});
