import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { refusalOf } from './refusal.ts';

const of = (status: number, message?: string) =>
  refusalOf(status, message === undefined ? null : { kind: 'Status', message }, { namespace: 'shop' })
    .message;
const forbidden = (user: string) =>
  of(
    403,
    `endpointslices.discovery.k8s.io is forbidden: User "${user}" cannot list resource "endpointslices" in API group "discovery.k8s.io" in the namespace "shop"`,
  );

describe('a refusal of the API', () => {
  it('for want of a right names who lacks it, and has the YAML that gives it', () => {
    const message = forbidden('system:serviceaccount:edge:tidegate');
    const [said, yaml = ''] = message.split('; allow it by kubectl apply of: ');
    expect(said).toBe(
      'status 403: system:serviceaccount:edge:tidegate may not list and watch endpointslices in the namespace shop',
    );
    const metadata = { name: 'tidegate-discovery', namespace: 'shop' };
    const group = 'rbac.authorization.k8s.io';
    expect(parse(yaml)).toEqual({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        {
          apiVersion: `${group}/v1`,
          kind: 'Role',
          metadata,
          rules: [
            { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
          ],
        },
        {
          apiVersion: `${group}/v1`,
          kind: 'RoleBinding',
          metadata,
          roleRef: { apiGroup: group, kind: 'Role', name: 'tidegate-discovery' },
          subjects: [{ kind: 'ServiceAccount', namespace: 'edge', name: 'tidegate' }],
        },
      ],
    });
    // It stands in a log of JSON, and kubectl takes what begins with a brace for JSON.
    expect(message).not.toMatch(/["\n]/);
    expect(yaml).not.toMatch(/^\{/);
  });

  it('gives a right to a user as such, to who is nobody none, and says nothing of who is not named', () => {
    const [, yaml = ''] = forbidden('jane@shop.example').split('apply of: ');
    expect(parse(yaml).items[1].subjects).toEqual([
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane@shop.example' },
    ]);
    expect(forbidden('system:anonymous')).toBe(
      'status 403: without a token nobody may list and watch endpointslices in the namespace shop; say "token", or tls: { cert, key }',
    );
    const unnamed = 'status 403: the account may not list and watch endpointslices in the namespace shop';
    expect(of(403)).toBe(unnamed);
    expect(forbidden("x', evil: '")).toBe(unnamed);
  });

  it('of another kind is told as it is, within bounds', () => {
    expect(of(401)).toBe('status 401: the API does not take the token');
    expect(of(404)).toBe('status 404: is this the API of Kubernetes, 1.21 or later?');
    expect(of(500, 'etcdserver: no leader')).toBe('status 500: etcdserver: no leader');
    expect(of(502)).toBe('status 502');
    expect(of(500, 'x'.repeat(1000)).length).toBe('status 500: '.length + 200);
  });
});
