import type { Remembered } from './api.ts';
import { clock, duration, failureInWords } from './format.ts';

/** A stop on a request's way, with its verdict; further lines stand below. */
export interface Station {
  readonly title: string;
  readonly verdict: string;
  readonly fine: boolean;
  readonly more?: readonly string[];
}

export interface Explained {
  route: string | null;
  status: number | null;
  params: Record<string, string>;
  target: string | null;
  why: string | null;
  location: string | null;
  destinations: { service: string; weight: number; retries: number; on: string[]; balance: string }[];
  auth: { says: string; provider: string | null; asks: string[]; status: number | null } | null;
  cache: {
    says: string;
    key: string[];
    whose: string;
    fresh: string;
    tags: string[] | null;
    refreshed: boolean;
  } | null;
  limits: { name: string; says: string; key: string | null; report: boolean }[];
  plan: {
    stages: string[][];
    calls: { call: string; service: string | null; route: string | null }[];
  } | null;
  rejected: { route: string; why: string }[];
}

const station = (title: string, verdict: string, fine = true, more: readonly string[] = []): Station => ({
  title,
  verdict: sentence(verdict),
  fine,
  more,
});

/** Without stops for what the route does not have. */
export function stationsOf(found: Explained): Station[] {
  const beaten = found.rejected.filter(({ why }) => why.startsWith('matches too'));
  const others = found.rejected
    .filter((one) => !beaten.includes(one))
    .map(({ route, why }) => `${route}: ${why}`);
  const passed =
    others.length === 0 ? [] : [station('Passed over', `${others.length} other routes`, true, others)];
  if (found.route === null)
    return [
      station('Match', `no route takes it${found.why === null ? '' : `: ${found.why}`}`, false),
      ...passed,
    ];
  return [
    matched(found, beaten),
    ...found.limits.map(({ name, says, key, report }) =>
      station(
        'Limit',
        `${name}: ${says}${key === null ? '' : `, counted for ${key}`}${report ? '; on trial, it refuses nothing' : ''}`,
      ),
    ),
    ...authorised(found.auth),
    ...cached(found.cache),
    ...onward(found),
    ...passed,
  ];
}

function matched({ route, params }: Explained, beaten: Explained['rejected']): Station {
  const values = Object.entries(params).map(([name, value]) => `${name} = ${value}`);
  const taken = `route ${route} takes it${values.length === 0 ? '' : `, with ${values.join(', ')}`}`;
  return station(
    'Match',
    taken,
    true,
    beaten.map(({ route: other, why }) => `${other} ${why}`),
  );
}

function authorised(auth: Explained['auth']): Station[] {
  if (auth === null) return [station('Auth', 'the route is open')];
  const asks = auth.asks.length === 0 ? [] : [sentence(`it asks for ${auth.asks.join(' and ')}`)];
  const who = auth.provider === null ? '' : `${auth.provider}: `;
  return [station('Auth', `${who}${auth.says}`, auth.status === null, asks)];
}

function cached(cache: Explained['cache']): Station[] {
  if (cache === null) return [];
  const { says, key, whose, fresh, tags, refreshed } = cache;
  if (key.length === 0) return [station('Cache', says)];
  return [
    station('Cache', says, true, [
      `Key: ${key.join(' + ')}, for ${whose}.`,
      `Fresh for ${fresh}.`,
      tags === null
        ? 'Its tags come from the answer; a fence on any of them unseats it.'
        : tags.length === 0
          ? 'It has no tags before there is an answer: only a purge of its URL, or of everything, unseats it.'
          : `Unseated by a fence on ${tags.join(', ')}.`,
      ...(refreshed ? ['Asked for often, it is then filled again in the background.'] : []),
    ]),
  ];
}

function onward({ location, plan, target, destinations, status, why }: Explained): Station[] {
  const stations: Station[] = [];
  if (location !== null) stations.push(station('Redirect', `to ${location}`));
  if (plan !== null) {
    const asked = new Map(plan.calls.map(({ call, service, route }) => [call, service ?? `route ${route}`]));
    const stages = plan.stages.map((stage, i) =>
      sentence(
        `${i === 0 ? 'first' : 'then'} ${stage.map((call) => `${call} (${asked.get(call)})`).join(' beside ')}`,
      ),
    );
    stations.push(station('Aggregate', `${plan.calls.length} calls make one answer`, true, stages));
  }
  if (target !== null && status === null) {
    const more = destinations.map(({ service, weight, retries, on, balance }) => {
      const share = destinations.length > 1 ? `, weight ${weight}` : '';
      const again = retries === 0 ? 'not tried again' : `tried again up to ${retries} × on ${on.join(', ')}`;
      return sentence(`${service}${share}: ${balance}, ${again}`);
    });
    stations.push(station('Service', `it is asked at ${target}`, true, more));
  }
  if (status !== null)
    stations.push(
      station(
        'Answer',
        `the gateway itself answers ${status}${why === null ? '' : `: ${why}`}`,
        status < 400,
      ),
    );
  return stations;
}

/** The way that a request went. */
export function wayOf(one: Remembered): Station[] {
  const ms = (value: number) => duration(value / 1000);
  const head = one.firstByte === null ? '' : `, the head of its answer after ${ms(one.firstByte)}`;
  const stations = [
    station(
      `${one.method} ${one.host}${one.path}`,
      `at ${clock(Date.parse(one.at))}, in ${ms(one.duration)}${head}`,
    ),
    station(
      'Match',
      one.route === null ? 'no route took it' : `route ${one.route} took it`,
      one.route !== null,
    ),
  ];
  if (one.auth !== null)
    stations.push(station('Auth', `${one.auth.subject ?? 'someone'}, as ${one.auth.provider} found`));
  if (one.cache !== null)
    stations.push(
      station('Cache', `${one.cache.outcome}${one.cache.detail === null ? '' : `: ${one.cache.detail}`}`),
    );
  if (one.service !== null) stations.push(station('Service', `it asked ${one.service} at ${one.target}`));
  const why = one.failure === null ? '' : `: ${failureInWords(one.failure)}`;
  stations.push(station('Answer', `${one.status}${why}`, one.status < 400));
  return stations;
}

/** With a capital where it begins with a plain word, and a full stop. */
function sentence(text: string): string {
  const begun = /^[a-z]+ /.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
