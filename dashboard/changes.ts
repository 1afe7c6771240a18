import type { Source } from './api.ts';
import { byId, h } from './dom.ts';
import { amount, clock, duration } from './format.ts';

/** Lines that are kept. */
const MOST = 200;
let paused = false;
const held: HTMLElement[] = [];

/** A line of the feed: what changed, and what that unseated. Held back while the pointer rests on the feed. */
export function hearEvent(type: string, data: Record<string, unknown>): void {
  const text = said(type, data);
  if (text === null) return;
  const line = h('li', {}, h('time', {}, clock(Date.now())), h('span', { class: text.tone }, text.text));
  if (paused) {
    held.push(line);
    if (held.length > MOST) held.shift();
  } else show(line);
}

function show(line: HTMLElement): void {
  const feed = byId('feed');
  feed.querySelector('.teach')?.remove();
  feed.prepend(line);
  while (feed.children.length > MOST) feed.lastElementChild!.remove();
}

export function readyFeed(): void {
  const feed = byId('feed');
  feed.addEventListener('pointerenter', () => {
    paused = true;
  });
  feed.addEventListener('pointerleave', () => {
    paused = false;
    for (const line of held.splice(0)) show(line);
  });
}

type Said = { text: string; tone: string } | null;

function said(type: string, data: Record<string, unknown>): Said {
  const quiet = (text: string): Said => ({ text, tone: '' });
  switch (type) {
    case 'change': {
      const { table, op, key, tags, more, unseated, commitMs } = data as {
        table: string;
        op: string;
        key: string | null;
        tags: string[];
        more: number;
        unseated: number;
        commitMs: number | null;
      };
      const what = `${table}${key === null ? '' : ` ${key}`} ${DONE[op] ?? op}`;
      const also = more > 0 ? ` and ${more} more` : '';
      const ago =
        commitMs === null ? '' : `, ${duration(Math.max(0, Date.now() - commitMs) / 1000)} after commit`;
      return quiet(`${what} → ${tags.join(', ')}${also} → ${entries(unseated)} unseated${ago}`);
    }
    case 'changes':
      return quiet(
        `${amount(Number(data.count))} more rows of ${data.source} → ${entries(Number(data.unseated))} unseated`,
      );
    case 'source': {
      const fine = data.state === 'streaming';
      return {
        text: `source ${data.name} is ${data.state}${data.error ? `: ${data.error}` : ''}`,
        tone: fine ? '' : 'look',
      };
    }
    case 'purge': {
      const {
        tags = [],
        urls = [],
        prefixes = [],
        all,
      } = data as { tags?: string[]; urls?: string[]; prefixes?: string[]; all?: boolean };
      return quiet(`purged ${all ? 'everything' : [...tags, ...urls, ...prefixes].slice(0, 5).join(', ')}`);
    }
    case 'reload':
      return data.ok
        ? quiet(`config reloaded from ${data.source}`)
        : { text: `config refused: ${firstLine(String(data.error))}`, tone: 'act' };
    case 'health':
      return {
        text: `${data.service}: ${data.target} is ${data.state} (${data.why})`,
        tone: data.state === 'out' ? 'act' : '',
      };
    case 'gap':
      return { text: 'some events were missed', tone: 'look' };
    default:
      return null;
  }
}

const DONE: Readonly<Record<string, string>> = {
  insert: 'inserted',
  update: 'updated',
  delete: 'deleted',
  truncate: 'emptied',
};
const entries = (count: number) => (count === 1 ? '1 entry' : `${amount(count)} entries`);
const firstLine = (text: string) => text.trimStart().split('\n', 1)[0]!;

/** Each source with its state and how late it is; without any, how one is set up. */
export function showSources(sources: readonly Source[]): void {
  const feed = byId('feed');
  if (sources.length === 0 && feed.children.length === 0) {
    const lines =
      "changes:\n  shop:\n    postgres: { url: 'postgres://…' }\n    tables: { public.orders: ['order:{row.id}'] }";
    feed.append(
      h(
        'li',
        { class: 'teach' },
        'No database is followed yet. These lines of the config keep the cache right by its changes:',
        h('pre', {}, lines),
      ),
    );
  }
  byId('sources').replaceChildren(
    ...sources.map(({ name, kind, state, lagSeconds, events, error }) =>
      h(
        'p',
        { class: state === 'streaming' ? '' : state === 'lost' ? 'act' : 'look' },
        h('strong', {}, name),
        ` ${kind}, ${state}${lagSeconds === null ? '' : lagSeconds === 0 ? ', up to date' : `, ${duration(lagSeconds)} late`}, ${amount(events)} rows${error === null ? '' : `: ${error}`}`,
      ),
    ),
  );
}
