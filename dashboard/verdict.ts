import type { Remembered, Service } from './api.ts';
import { byId, each, h, mark, say } from './dom.ts';
import { ago, failureInWords, firstLine, rate } from './format.ts';
import { isOut, OUT } from './health.ts';
import type { GatewayNode } from './node.ts';
import { NOTHING, type Rates } from './traffic.ts';

/** Milliseconds for which a failure is one of now: what fails now and then is neither missed nor does it flicker. */
const NOW = 30_000;
/** Lines that are shown; more would push away where one sees the rest. */
const MOST = 6;
const MOST_NAMES = 3;

type Tone = 'act' | 'look';

interface Trouble {
  readonly what: string;
  /** Where there is more of it. */
  readonly href: string;
  readonly words: string;
  readonly tone: Tone;
}

const SHAPES: Readonly<Record<Tone, string>> = { act: '✕', look: '!' };

/** Is it fine? If not, what is wrong, and where: causes before what follows from them. */
export class Verdict {
  private readonly title = byId('verdict-title');
  private readonly list = byId('troubles');

  show(node: GatewayNode, rates: ReadonlyMap<string, Rates>): void {
    const troubles = troublesOf(node, rates);
    const more = troubles.length - MOST;
    say(this.title, titleFor(troubles));
    mark(
      this.title,
      'class',
      troubles.some(({ tone }) => tone === 'act') ? 'act' : (troubles[0]?.tone ?? ''),
    );
    say(byId('troubles-more'), more > 0 ? `and ${more} more` : '');
    each(
      this.list,
      troubles.slice(0, MOST),
      ({ what }) => what,
      ({ what, href }) => h('li', {}, h('span'), ' ', h('a', { href }, what), ' ', h('span')),
      (item, { words, tone }) => {
        const [shape, , said] = item.children;
        say(shape!, SHAPES[tone]);
        mark(shape!, 'class', tone);
        say(said!, words);
      },
    );
  }
}

function titleFor({ length }: readonly Trouble[]): string {
  if (length === 0) return `● Fine: nothing has failed in the last ${NOW / 1000} s`;
  return length === 1 ? '✕ One thing is wrong' : `✕ ${length} things are wrong`;
}

function troublesOf(node: GatewayNode, rates: ReadonlyMap<string, Rates>): Trouble[] {
  return [
    ...ofWorkers(node),
    ...ofConfig(node),
    ...ofRedis(node),
    ...ofSources(node),
    ...ofServices(node),
    ...ofRoutes(node, rates),
  ];
}

function ofWorkers({ status }: GatewayNode): Trouble[] {
  if (status?.workers !== 0) return [];
  const words = 'to serve: connections wait until one has started; the log says why they ended';
  return [{ what: 'No worker is there', href: '#figures', words, tone: 'act' }];
}

function ofConfig({ status }: GatewayNode): Trouble[] {
  const refused = status?.config.refused ?? null;
  if (refused === null) return [];
  const words = `is refused, the one before stays in force: ${firstLine(refused.error)}`;
  return [{ what: 'The new config', href: '#/config', words, tone: 'act' }];
}

function ofRedis({ cache }: GatewayNode): Trouble[] {
  if (cache?.redis?.state !== 'away') return [];
  return [
    { what: 'Redis', href: '#changes', words: `is away: ${cache.redis.reason ?? 'no answer'}`, tone: 'act' },
  ];
}

function ofSources({ sources }: GatewayNode): Trouble[] {
  return sources
    .filter(({ state }) => state === 'lost')
    .map(({ name, error }) => ({
      what: `Source ${name}`,
      href: '#changes',
      words: `is lost${error === null ? '' : `: ${error}`}`,
      tone: 'act',
    }));
}

function ofServices({ services, routes }: GatewayNode): Trouble[] {
  return services.flatMap((service): Trouble[] => {
    const { name, targets, breaker } = service;
    const out = targets.filter(isOut);
    if (out.length === 0 && breaker !== 'open') return [];
    const asking = routes.filter((route) => route.services.includes(name)).map((route) => route.name);
    const words = [
      `is ${[...outInWords(service), ...(breaker === 'open' ? ['kept back by its breaker'] : [])].join(', ')}`,
      lastFailureOf(service),
      asking.length === 0 ? '' : ` · asked by ${fewOf(asking)}`,
    ];
    const tone = breaker === 'open' || out.length === targets.length ? 'act' : 'look';
    return [{ what: `Service ${name}`, href: '#services', words: words.join(''), tone }];
  });
}

function outInWords({ targets }: Service): string[] {
  const out = targets.filter(isOut);
  if (out.length === 0) return [];
  const why = OUT[out[0]!.health]!;
  return targets.length === 1
    ? [`out ${why}`]
    : [`out ${why} with ${out.length} of ${targets.length} targets`];
}

function lastFailureOf({ targets }: Service): string {
  const failures = targets.flatMap(({ lastFailure }) => lastFailure ?? []);
  const newest = failures.sort((a, b) => b.at.localeCompare(a.at))[0];
  return newest === undefined ? '' : `: ${newest.message}`;
}

/** In the order of the config: lines that changed places with each second could not be read. */
function ofRoutes({ failures, routes, traffic }: GatewayNode, rates: ReadonlyMap<string, Rates>): Trouble[] {
  return routes.flatMap(({ name }): Trouble[] => {
    const newest = failures.find(({ route }) => route === name);
    if (newest === undefined) return [];
    const at = Date.parse(newest.at);
    if (traffic.until - at > NOW) return [];
    const { errors, requests } = rates.get(name) ?? NOTHING;
    const now =
      errors > 0 ? `fails, ${rate(errors)} of ${rate(requests)}` : `failed ${ago(at, traffic.until)}`;
    const href = `#/route/${encodeURIComponent(name)}`;
    return [{ what: `Route ${name}`, href, words: `${now}${causeOf(newest)}`, tone: 'act' }];
  });
}

function causeOf({ failure, service, status }: Remembered): string {
  const where = service === null ? '' : ` at ${service}`;
  return failure === null ? `${where}: it answers ${status}` : `${where}: ${failureInWords(failure)}`;
}

function fewOf(names: readonly string[]): string {
  const few = names.slice(0, MOST_NAMES).join(', ');
  return names.length > MOST_NAMES ? `${few} and ${names.length - MOST_NAMES} more` : few;
}
