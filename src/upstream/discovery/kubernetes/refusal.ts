import type { KubernetesDiscoverConfig } from '../../../config/model.ts';
import { part } from '../json.ts';

/** The API answers, but not with what it was asked for. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(`status ${status}${message}`);
    this.status = status;
  }
}

/** What to do about a refusal, as far as that can be told. `told` is the Status object that comes with it. */
export function refusalOf(
  status: number,
  told: unknown,
  { namespace }: Pick<KubernetesDiscoverConfig, 'namespace'>,
): Refusal {
  const message = part(told, 'message');
  return new Refusal(status, adviceOn(status, typeof message === 'string' ? message : '', namespace));
}

function adviceOn(status: number, message: string, namespace: string): string {
  if (status === 401) return ': the API does not take the token';
  if (status === 403) return missingRule(message, namespace);
  if (status === 404) return ': is this the API of Kubernetes, 1.21 or later?';
  return message === '' ? '' : `: ${message.slice(0, LONGEST_MESSAGE)}`;
}

const LONGEST_MESSAGE = 200;

/** RBAC names who was refused: `User "system:serviceaccount:edge:tidegate" cannot list resource …`. */
function missingRule(message: string, namespace: string): string {
  const user = /^[^"]*User "([\w.:@/+-]{1,253})"/.exec(message)?.[1];
  const what = `list and watch endpointslices in the namespace ${namespace}`;
  if (user === undefined) return `: the account may not ${what}`;
  if (user === 'system:anonymous')
    return `: without a token nobody may ${what}; say "token", or tls: { cert, key }`;
  return `: ${user} may not ${what}; allow it by kubectl apply of: ${ruleFor(user, namespace)}`;
}

/**
 * YAML in one line, as a log needs it, and with the quotes that JSON does not escape. What begins with a brace kubectl
 * takes for JSON, so it begins with a tag.
 */
function ruleFor(user: string, namespace: string): string {
  const metadata = `metadata: {name: ${ROLE}, namespace: '${namespace}'}`;
  const rule = '{apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}';
  const role = `{${RBAC}, kind: Role, ${metadata}, rules: [${rule}]}`;
  const ref = `roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: ${ROLE}}`;
  const binding = `{${RBAC}, kind: RoleBinding, ${metadata}, ${ref}, subjects: [${subjectOf(user)}]}`;
  return `!!map {apiVersion: v1, kind: List, items: [${role}, ${binding}]}`;
}

const RBAC = 'apiVersion: rbac.authorization.k8s.io/v1';
const ROLE = 'tidegate-discovery';

function subjectOf(user: string): string {
  const [, home, account] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? [];
  return account === undefined
    ? `{apiGroup: rbac.authorization.k8s.io, kind: User, name: '${user}'}`
    : `{kind: ServiceAccount, namespace: '${home}', name: '${account}'}`;
}
