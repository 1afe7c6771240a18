import { get, post } from './api.ts';
import { byId, h } from './dom.ts';
import { clock, duration } from './format.ts';

interface Explained {
  route: string | null;
  status: number | null;
  params: Record<string, string>;
  target: string | null;
  why: string | null;
  location: string | null;
  auth: Record<string, unknown> | null;
  cache?: Record<string, unknown> | null;
  limits?: Record<string, unknown>[] | null;
  rejected: { route: string; why: string }[];
}

/** What was typed, as a request: a curl line, or METHOD URL. */
export function parseRequest(text: string): { method: string; url: string; headers: Record<string, string> } {
  const words = [...text.trim().matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    (word) => word[1] ?? word[2] ?? word[3]!,
  );
  const headers: Record<string, string> = {};
  if (words[0] !== 'curl') {
    const [first = '/', second] = words;
    return second === undefined
      ? { method: 'GET', url: first, headers }
      : { method: first.toUpperCase(), url: second, headers };
  }
  let method: string | null = null;
  let url = '/';
  let sends = false;
  for (let i = 1; i < words.length; i++) {
    const word = words[i]!;
    if (word === '-X' || word === '--request') method = words[++i] ?? null;
    else if (word === '-H' || word === '--header') {
      const [, name, value] = /^([^:]+):\s*(.*)$/.exec(words[++i] ?? '') ?? [];
      if (name !== undefined) headers[name] = value!;
    } else if (/^(?:-d|--data|--data-raw|--json)$/.test(word)) {
      sends = true;
      i++;
    } else if (!word.startsWith('-')) url = word;
  }
  return { method: method ?? (sends ? 'POST' : 'GET'), url, headers };
}

/** The request's way through the gateway, as a line of stations with their verdicts. */
export function readyExplain(): void {
  byId('explain-form').addEventListener('submit', (event) => {
    event.preventDefault();
    void explain(byId<HTMLTextAreaElement>('explain-text').value);
  });
  byId('explain-text').addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey) return;
    event.preventDefault();
    byId<HTMLFormElement>('explain-form').requestSubmit();
  });
}

let asked = 0;

/** The answer to an earlier question never stands below a later one, nor comes in its place. */
async function explain(text: string): Promise<void> {
  const question = ++asked;
  const list = byId('stations');
  list.replaceChildren();
  list.ariaBusy = 'true';
  const stations = await answerTo(text.trim()).catch((error: Error): Station[] => [
    ['Not to be told', error.message, false],
  ]);
  if (question !== asked) return;
  list.ariaBusy = 'false';
  list.replaceChildren(
    ...stations.map(([title, verdict, fine]) =>
      h('li', { class: fine ? '' : 'no' }, h('strong', {}, title), verdict),
    ),
  );
}

/** What is no method and no path is the id of a request that was. */
async function answerTo(text: string): Promise<Station[]> {
  if (/^[\w.-]{8,128}$/.test(text)) return requestsOf(text);
  return stationsOf(await post<Explained>('/v1/explain', parseRequest(text)));
}

type Station = readonly [title: string, verdict: string, fine: boolean];

function stationsOf(found: Explained): Station[] {
  const stations: Station[] = [];
  const beaten = found.rejected.map(({ route, why }) => `${route}: ${why}`);
  if (found.route === null)
    return [
      ['Match', `No route takes it${found.why === null ? '' : `: ${found.why}`}.`, false],
      ['Passed over', beaten.join('; ') || 'none', true],
    ];
  const params = Object.entries(found.params).map(([name, value]) => `${name} = ${value}`);
  stations.push([
    'Match',
    `${found.route} takes it${params.length === 0 ? '' : `, with ${params.join(', ')}`}.`,
    true,
  ]);
  for (const limit of found.limits ?? []) stations.push(['Limit', sentence(limit), true]);
  stations.push([
    'Auth',
    found.auth === null ? 'The route is open.' : sentence(found.auth),
    found.status !== 401 && found.status !== 403,
  ]);
  if (found.cache != null) stations.push(['Cache', sentence(found.cache), true]);
  if (found.location !== null) stations.push(['Redirect', found.location, true]);
  if (found.target !== null) stations.push(['Upstream', `It is asked at ${found.target}.`, true]);
  if (found.status !== null)
    stations.push(['Answer', `The gateway itself answers ${found.status}.`, found.status < 400]);
  if (beaten.length > 0) stations.push(['Passed over', beaten.join('; '), true]);
  return stations;
}

/** What is told of a station beyond what the page knows: each of its words with its value. */
function sentence(value: Record<string, unknown>): string {
  return Object.entries(value)
    .filter(([, one]) => one !== null && one !== undefined && !(Array.isArray(one) && one.length === 0))
    .map(([name, one]) => `${name}: ${typeof one === 'object' ? JSON.stringify(one) : String(one)}`)
    .join(' · ');
}

interface Remembered {
  at: string;
  method: string;
  host: string;
  path: string;
  status: number;
  route: string | null;
  auth: { provider: string; subject: string | null } | null;
  cache: { outcome: string; detail: string | null } | null;
  service: string | null;
  target: string | null;
  failure: { code: string; cause: string } | null;
  firstByte: number | null;
  duration: number;
}

/** The way that a request went, of those that workers remember. */
async function requestsOf(id: string): Promise<Station[]> {
  const { requests } = await get<{ requests: Remembered[] }>(`/v1/requests?id=${encodeURIComponent(id)}`);
  return requests.flatMap((one): Station[] => {
    const took = `${duration(one.duration / 1000)}${one.firstByte === null ? '' : `, the head of its answer after ${duration(one.firstByte / 1000)}`}`;
    return [
      [`${one.method} ${one.host}${one.path}`, `At ${clock(Date.parse(one.at))}, in ${took}.`, true],
      ['Match', one.route === null ? 'No route took it.' : `${one.route} took it.`, one.route !== null],
      ...(one.auth === null
        ? []
        : [['Auth', `${one.auth.subject ?? 'someone'}, as ${one.auth.provider} found.`, true] as const]),
      ...(one.cache === null
        ? []
        : [
            [
              'Cache',
              `${one.cache.outcome}${one.cache.detail === null ? '' : `: ${one.cache.detail}`}`,
              true,
            ] as const,
          ]),
      ...(one.service === null
        ? []
        : [['Upstream', `${one.service} at ${one.target} was asked.`, true] as const]),
      [
        'Answer',
        `${one.status}${one.failure === null ? '' : `: ${one.failure.code} ${one.failure.cause}`}`,
        one.status < 400,
      ],
    ];
  });
}
