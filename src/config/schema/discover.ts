import { isLoopback } from './address.ts';
import { type Complaint, leaf, object, oneOf, onlyOne, type Rule } from './kit.ts';
import { serviceTls } from './service-tls.ts';
import { schemeOf, urlComplaint } from './service-url.ts';
import { bearerToken, integer, word } from './values.ts';

const dnsName = leaf<string>(
  'a name that DNS knows',
  ['text'],
  (value) => {
    if (
      /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_-]+)*\.?$/.test(String(value))
    )
      return null;
    return {
      message: `"${value}" is not a name of DNS`,
      advice: 'write it without a scheme, port or path: shop.internal',
    };
  },
  { type: 'string' },
);

/** A service of Consul, as it stands in the path of its API. */
const consulName = leaf<string>(
  'the name of a service',
  ['text'],
  (value) =>
    /^(?!\.{1,2}$)[^\s\p{C}]{1,255}$/u.test(String(value))
      ? null
      : {
          message: 'this is not the name of a service',
          advice: 'write it as `consul catalog services` shows it',
        },
  { type: 'string' },
);

const consulUrl = leaf<string>(
  'a URL such as http://127.0.0.1:8500',
  ['text'],
  (value) => apiComplaint(String(value), 'Consul'),
  { type: 'string' },
);

const kubernetesUrl = leaf<string>(
  'a URL such as https://10.0.0.1:6443',
  ['text'],
  (value) => kubernetesComplaint(String(value)),
  { type: 'string' },
);

function apiComplaint(text: string, whose: string): Complaint | null {
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed !== null && parsed.username + parsed.password !== '')
    return { message: 'a user and password in the URL would not be sent', advice: 'say token: TOKEN' };
  if (parsed !== null && parsed.search + parsed.hash !== '')
    return { message: `the URL of ${whose} ends with its path`, advice: 'leave out what begins with ? or #' };
  const scheme = schemeOf(text);
  if (scheme !== null && scheme !== 'http' && scheme !== 'https')
    return {
      message: `${whose} is asked over http: or https:`,
      advice: 'write its URL, with http:// or https://',
    };
  return urlComplaint(text);
}

/** Over plain HTTP whoever listens has the account, and whoever answers has what the gateway forwards. */
function kubernetesComplaint(text: string): Complaint | null {
  if (!/^[a-z]+:(?!\d)/i.test(text))
    return { message: 'this URL has no scheme', advice: `write "https://${text}"` };
  const complaint = apiComplaint(text, 'the API');
  if (complaint !== null) return complaint;
  const { protocol, hostname } = new URL(text);
  if (protocol === 'https:' || isLoopback(hostname.replace(/^\[|\]$/g, ''))) return null;
  const advice = 'write https://; http: is for `kubectl proxy` on this machine';
  return { message: 'http: to another machine can be listened to', advice };
}

/** What Kubernetes calls namespaces, services and their ports (RFC 1123). */
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';

const kubernetesService = leaf<string>(
  'NAMESPACE/NAME of a service',
  ['text'],
  (value) => {
    const text = String(value);
    if (new RegExp(`^${LABEL}/${LABEL}$`).test(text)) return null;
    const advice = 'write its namespace and name as `kubectl get services -A` shows them: default/shop';
    if (new RegExp(`^${LABEL}$`).test(text))
      return { message: `"${text}" says no namespace`, advice: `write NAMESPACE/${text}: default/${text}` };
    return { message: `"${text}" is not NAMESPACE/NAME of a service`, advice };
  },
  { type: 'string' },
);

const portName = leaf<string>(
  'the name of a port',
  ['text'],
  (value) => {
    const text = String(value);
    if (/^\d+$/.test(text))
      return { message: `"${text}" is text, and a name`, advice: `write ${Number(text)}, without quotes` };
    return new RegExp(`^${LABEL}$`).test(text)
      ? null
      : {
          message: `"${text}" cannot be the name of a port`,
          advice: 'write it as the service has it: http, or a number from 1 to 65535',
        };
  },
  { type: 'string' },
);

/** Which keys go with which source. */
const OF_SOURCE = {
  dns: ['type', 'port'],
  consul: ['name', 'token', 'tls'],
  kubernetes: ['port', 'api', 'token', 'tls'],
} as const;

type Source = keyof typeof OF_SOURCE;

const oneSource: Rule = (discover, report) => {
  const [source, other] = onlyOne(discover, Object.keys(OF_SOURCE), report) as Source[];
  if (other !== undefined) return;
  if (source === undefined) {
    const advice = 'say dns: NAME, consul: URL and name: NAME, or kubernetes: NAMESPACE/NAME';
    return report({
      code: 'TG_CONFIG_MISSING',
      path: [],
      atKey: true,
      message: 'discover asks nobody',
      advice,
    });
  }
  const own: readonly string[] = OF_SOURCE[source];
  for (const key of new Set(Object.values(OF_SOURCE).flat())) {
    if (!(key in discover) || own.includes(key)) continue;
    const message = `"${key}" does not go with "${source}"`;
    report({
      code: 'TG_CONFIG_CONFLICT',
      path: [key],
      atKey: true,
      also: [source],
      message,
      advice: 'remove it',
    });
  }
  if (source === 'consul' && !('name' in discover))
    report({
      code: 'TG_CONFIG_MISSING',
      path: ['consul'],
      atKey: true,
      message: '"name" is missing beside "consul"',
      advice: 'add "name": the service as Consul knows it',
    });
};

/** A pod has an account of its own, which is shown to nobody but its own cluster. */
const accountElsewhere: Rule = (discover, report) => {
  if (!('kubernetes' in discover) || 'api' in discover) return;
  for (const key of ['token', 'tls']) {
    if (!(key in discover)) continue;
    report({
      code: 'TG_CONFIG_MISSING',
      path: [key],
      atKey: true,
      message: `"${key}" stands without "api"`,
      advice:
        'add "api": the URL of the API; without all three it is that of the cluster, with the account of the pod',
    });
  }
};

const portOfDns: Rule = (discover, report) => {
  if (!('dns' in discover) || !('port' in discover)) return;
  if (discover.type === 'SRV')
    report({
      code: 'TG_CONFIG_CONFLICT',
      path: ['port'],
      atKey: true,
      also: ['type'],
      message: 'SRV records bring their own ports',
      advice: 'remove it',
    });
  else if (typeof discover.port === 'string' && !/^\d+$/.test(discover.port))
    report({
      path: ['port'],
      message: 'DNS knows no names of ports',
      advice: 'write a whole number from 1 to 65535',
    });
};

export const discover = object(
  'Discover',
  'discover',
  {
    dns: dnsName.optional().describe('The name, asked for again as its answers run out.'),
    type: word(['A', 'SRV'])
      .optional()
      .describe('A: its addresses. SRV: hosts, ports and weights. Default A.'),
    scheme: word(['http', 'https', 'h2c', 'h2'])
      .optional()
      .describe('h2c and h2 for HTTP/2, as in url. Default http.'),
    port: oneOf('a port from 1 to 65535, or the name of one', [integer(1, 65_535), portName])
      .optional()
      .describe(
        "Of addresses: default 80, or 443 for https and h2. For kubernetes: the pods' port, by number or by its name in the service; default: the only one there is.",
      ),
    consul: consulUrl
      .optional()
      .describe('The HTTP API of Consul, in place of dns: the instances whose checks pass are the targets.'),
    name: consulName.optional().describe('The service, as Consul knows it.'),
    kubernetes: kubernetesService
      .optional()
      .describe(
        'NAMESPACE/NAME of a service of Kubernetes, in place of dns: its ready pods are the targets.',
      ),
    api: kubernetesUrl
      .optional()
      .describe(
        'The API of a cluster that the gateway does not run in. Default: that of its own, with the account of its pod.',
      ),
    token: bearerToken
      .optional()
      .describe(
        'For Consul: may read the service and its nodes. Beside api: may list and watch EndpointSlices. Default none.',
      ),
    tls: serviceTls.optional().describe('TLS toward an https Consul, or toward api.'),
  },
  [oneSource, accountElsewhere, portOfDns],
);
