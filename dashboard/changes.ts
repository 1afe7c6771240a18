import type { Cache, Source } from './api.ts';
import { byId, each, h, mark, say } from './dom.ts';
import { ago, amount, clock, duration, firstLine } from './format.ts';

/** Lines that are kept. */
const MOST = 200;
/** Changes that are told one by one in a second: more can't be read, so they are counted. */
const MOST_A_SECOND = 5;
/** Of what was purged. */
const MOST_NAMES = 5;
const LINES =
  "changes:\n  shop:\n    postgres: { url: 'postgres://…' }\n    tables: { public.orders: ['order:{row.id}'] }";

type Data = Readonly<Record<string, unknown>>;
interface Told {
  readonly text: string;
  readonly tone: string;
}

interface Sum {
  count: number;
  unseated: number;
  /** Its line, once it is shown: it counts on there until the second is over. */
  readonly line: HTMLElement;
}

/** What changed, and what that unseated; held back while the pointer rests on it, or the keyboard is in it. */
export class Feed {
  private readonly list = byId('feed');
  private readonly waiting: HTMLElement[] = [];
  private readonly sums = new Map<string, Sum>();
  private held = false;
  private left = MOST_A_SECOND;
  private timer = 0;

  constructor() {
    const hold = (held: boolean) => () => {
      this.held = held;
      mark(byId('feed-held'), 'hidden', held ? null : '');
      if (!held) for (const line of this.waiting.splice(0)) this.put(line);
    };
    this.list.addEventListener('pointerenter', hold(true));
    this.list.addEventListener('pointerleave', hold(false));
    this.list.addEventListener('focus', hold(true));
    this.list.addEventListener('blur', hold(false));
  }

  hear(type: string, data: Data): void {
    if (type === 'changes') return this.sum(data, Number(data.count));
    if (type === 'change' && !this.mayTell()) return this.sum(data, 1);
    const told = toldOf(type, data);
    if (told !== null) this.add(lineOf(told));
  }

  /** Each source with its state and how late it is, and Redis where it is used; without any source, how one is set up. */
  showSources(sources: readonly Source[], redis: Cache['redis']): void {
    mark(byId('changes-none'), 'hidden', sources.length === 0 ? null : '');
    say(byId('changes-lines'), LINES);
    const away = byId('redis');
    mark(away, 'hidden', redis === null ? '' : null);
    if (redis !== null) {
      const since = Date.parse(redis.since);
      say(
        away.lastElementChild!,
        redis.state === 'connected'
          ? ' connected'
          : ` away for ${ago(since).replace(' ago', '')}: ${redis.reason ?? 'no answer'}. This node answers from its own memory`,
      );
      mark(away, 'class', redis.state === 'connected' ? '' : 'act');
      mark(away, 'title', `since ${clock(since)}`);
    }
    mark(byId('feed-quiet'), 'hidden', sources.length > 0 && this.list.childElementCount === 0 ? null : '');
    each(
      byId('sources'),
      sources,
      ({ name }) => name,
      ({ name }) => h('p', {}, h('strong', {}, name), h('span')),
      (element, source) => {
        say(element.lastElementChild!, ` ${sourceInWords(source)}`);
        mark(element, 'class', TONES[source.state] ?? 'look');
        mark(element, 'title', source.position === null ? null : `applied up to ${source.position}`);
      },
    );
  }

  private mayTell(): boolean {
    this.timer ||= setTimeout(() => this.secondEnds(), 1000);
    if (this.left === 0) return false;
    this.left--;
    return true;
  }

  private sum(data: Data, count: number): void {
    this.timer ||= setTimeout(() => this.secondEnds(), 1000);
    const source = String(data.source);
    let sum = this.sums.get(source);
    if (sum === undefined) {
      sum = { count: 0, unseated: 0, line: lineOf({ text: '', tone: '' }) };
      this.sums.set(source, sum);
    }
    sum.count += count;
    sum.unseated += Number(data.unseated);
  }

  private secondEnds(): void {
    this.timer = 0;
    this.left = MOST_A_SECOND;
    for (const [source, { count, unseated, line }] of this.sums) {
      const rows = count === 1 ? '1 more row' : `${amount(count)} more rows`;
      say(line.lastElementChild!, `${rows} of ${source} → ${entries(unseated)} unseated`);
      this.add(line);
    }
    this.sums.clear();
  }

  private add(line: HTMLElement): void {
    if (!this.held) return this.put(line);
    this.waiting.push(line);
    if (this.waiting.length > MOST) this.waiting.shift();
  }

  private put(line: HTMLElement): void {
    mark(byId('feed-quiet'), 'hidden', '');
    this.list.prepend(line);
    while (this.list.childElementCount > MOST) this.list.lastElementChild!.remove();
  }
}

function lineOf({ text, tone }: Told): HTMLElement {
  return h('li', {}, h('time', {}, clock(Date.now())), h('span', { class: tone }, text));
}

interface Change {
  table: string;
  op: string;
  key: string | null;
  tags: string[];
  more: number;
  unseated: number;
  afterMs: number | null;
}

function toldOf(type: string, data: Data): Told | null {
  const quiet = (text: string): Told => ({ text, tone: '' });
  switch (type) {
    case 'change':
      return quiet(changeInWords(data as unknown as Change));
    case 'source':
      return {
        text: `source ${data.name} is ${data.state}${data.error ? `: ${data.error}` : ''}`,
        tone: TONES[String(data.state)] ?? 'look',
      };
    case 'purge':
      return quiet(`${data.soft ? 'made stale:' : 'purged'} ${purgedOf(data)}`);
    case 'reload':
      return data.ok
        ? quiet(`config reloaded from ${data.source}`)
        : { text: `config refused: ${firstLine(String(data.error))}`, tone: 'act' };
    case 'health':
      return {
        text: `${data.service}: ${data.target} is ${data.state} (${data.why})`,
        tone: data.state === 'out' ? 'act' : '',
      };
    case 'breaker':
      return {
        text: `${data.service}: its breaker is ${BREAKER[String(data.state)] ?? data.state}`,
        tone: data.state === 'open' ? 'act' : '',
      };
    case 'gap':
      return { text: 'some events were missed', tone: 'look' };
    default:
      return null;
  }
}

function changeInWords({ table, op, key, tags, more, unseated, afterMs }: Change): string {
  const row = `${table.replace(/^public\./, '')}${key === null ? '' : ` #${key}`} ${DONE[op] ?? op}`;
  const also = more > 0 ? ` and ${more} more` : '';
  const after = afterMs === null ? '' : `, ${duration(Math.max(1, afterMs) / 1000)} after commit`;
  return `${row} → ${tags.join(', ')}${also} → ${entries(unseated)} unseated${after}`;
}

function purgedOf({ tags = [], prefixes = [], urls = [], more = 0, all }: Data): string {
  if (all) return 'everything';
  const names = [...(tags as string[]), ...(prefixes as string[]), ...(urls as string[])];
  const rest = Math.max(0, names.length - MOST_NAMES) + Number(more);
  return `${names.slice(0, MOST_NAMES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function sourceInWords({ kind, state, lagSeconds, events, error }: Source): string {
  const late = lagSeconds === null ? [] : [lagSeconds === 0 ? 'up to date' : `${duration(lagSeconds)} late`];
  const words = [kind, state, ...late, `${amount(events)} ${events === 1 ? 'row' : 'rows'}`];
  return `${words.join(', ')}${error === null ? '' : `: ${error}`}`;
}

const TONES: Readonly<Record<string, string>> = { streaming: '', lost: 'act' };
const BREAKER: Readonly<Record<string, string>> = {
  open: 'open, nothing is sent there',
  'half-open': 'half open, one request probes it',
  closed: 'closed again',
};
const DONE: Readonly<Record<string, string>> = {
  insert: 'inserted',
  update: 'updated',
  delete: 'deleted',
  truncate: 'emptied',
};
const entries = (count: number) => (count === 1 ? '1 entry' : `${amount(count)} entries`);
