import type { Service, Target } from './api.ts';
import { byId, each, h, mark, say } from './dom.ts';
import { ago, amount, clock } from './format.ts';
import { OUT } from './health.ts';

const TITLES = [
  'Service',
  'Target',
  'Health',
  'Breaker',
  'In use',
  'Waiting',
  'Tries',
  'Failed',
  'Tried again',
  'Last failure',
];
const NUMBERS = new Set(['In use', 'Waiting', 'Tries', 'Failed', 'Tried again']);

const HEALTH: Readonly<Record<string, readonly [text: string, tone: string]>> = {
  up: ['● in', ''],
  warming: ['◐ warming up', 'look'],
  ejected: [`○ out, ${OUT.ejected}`, 'act'],
  down: [`○ out, ${OUT.down}`, 'act'],
};
const BREAKER: Readonly<Record<string, readonly [text: string, tone: string]>> = {
  closed: ['closed', ''],
  'half-open': ['half open', 'look'],
  open: ['open', 'act'],
};

interface Row {
  readonly service: Service;
  readonly target: Target;
  readonly first: boolean;
}

/** Targets with their health, and the last failure in words. */
export class ServicesTable {
  private readonly body = h('tbody');

  constructor() {
    const head = TITLES.map((title) =>
      h('th', { scope: 'col', ...(NUMBERS.has(title) ? { class: 'number' } : {}) }, title),
    );
    byId('services-table').append(h('thead', {}, h('tr', {}, ...head)), this.body);
  }

  show(services: readonly Service[]): void {
    const rows = services.flatMap((service) =>
      service.targets.map((target, i): Row => ({ service, target, first: i === 0 })),
    );
    mark(byId('services-none'), 'hidden', rows.length === 0 ? null : '');
    each(
      this.body,
      rows,
      ({ service, target }) => `${service.name}\n${target.name}`,
      () =>
        h(
          'tr',
          {},
          ...TITLES.map((title, i) =>
            i === 0 ? h('th', { scope: 'row' }) : h('td', NUMBERS.has(title) ? { class: 'number' } : {}),
          ),
        ),
      fill,
    );
  }
}

function fill(element: HTMLElement, { service, target, first }: Row): void {
  const [health, tone] = healthOf(target);
  const [breaker, breakerTone] = BREAKER[service.breaker] ?? [service.breaker, ''];
  const { lastFailure } = target;
  const at = lastFailure === null ? 0 : Date.parse(lastFailure.at);
  const texts = [
    first ? service.name : '',
    // Of two parts.
    null,
    health,
    first ? breaker : '',
    String(target.connections.inUse),
    first ? String(service.pending) : '',
    amount(target.requests),
    amount(target.failures),
    amount(target.retries),
    lastFailure === null ? '–' : `${lastFailure.message}, ${ago(at)}`,
  ];
  const cells = element.children;
  for (const [i, text] of texts.entries()) if (text !== null) say(cells[i]!, text);
  sayTarget(cells[1]!, target.name);
  mark(cells[2]!, 'class', tone);
  mark(cells[3]!, 'class', first ? breakerTone : '');
  mark(cells[7]!, 'class', target.failures > 0 ? 'number look' : 'number');
  mark(cells[9]!, 'title', lastFailure === null ? null : clock(at));
}

/** Its scheme by itself: a narrow screen has no room for it. */
function sayTarget(cell: Element, name: string): void {
  const [, scheme = '', rest = name] = /^([a-z]+:\/\/)(.*)$/.exec(name) ?? [];
  if (cell.childElementCount === 0) cell.append(h('span', { class: 'scheme' }), h('span'));
  say(cell.firstElementChild!, scheme);
  say(cell.lastElementChild!, rest);
}

function healthOf({ state, health }: Target): readonly [text: string, tone: string] {
  const [text, tone] = HEALTH[health] ?? [health, ''];
  return state === 'drain' ? [`◌ drained (${text.slice(2)})`, 'look'] : [text, tone];
}
