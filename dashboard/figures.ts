import type { Cache, Figures } from './api.ts';
import { byId, h, mark, s, say } from './dom.ts';
import { amount, bytes, clock, duration, percent, rate } from './format.ts';
import { highest, linePath } from './lines.ts';
import { EVERY, MOST, type Traffic } from './traffic.ts';

/** Seconds that the width may stand for; the least that holds all there is. */
const SPANS = [60, 180, MOST] as const;
const HEIGHT = 40;
/** Milliseconds between two fillings of the table, whose rows are minutes. */
const TABLE_EVERY = 15_000;
const NO_CACHE = 'routes:\n  orders:\n    cache: { ttl: 60s }';

interface Kind {
  readonly title: string;
  shown(figures: Figures): string;
  readonly lines: readonly ((figures: Figures) => number | null)[];
  most(value: number): string;
  /** The least that the height stands for. */
  readonly least: number;
}

const KINDS: readonly Kind[] = [
  {
    title: 'Requests a second',
    shown: ({ requests }) => rate(requests),
    lines: [({ requests }) => requests],
    most: rate,
    least: 1,
  },
  {
    title: 'Latency, p50 and p99',
    shown: ({ p50, p99 }) => `${duration(p50)} · ${duration(p99)}`,
    lines: [({ p99 }) => p99, ({ p50 }) => p50],
    most: duration,
    least: 0.001,
  },
  {
    title: 'Share from cache',
    shown: ({ hitShare }) => percent(hitShare),
    lines: [({ hitShare }) => hitShare],
    most: percent,
    least: 1,
  },
  {
    title: 'Errors (5xx)',
    shown: ({ errors }) => rate(errors),
    lines: [({ errors }) => errors],
    most: rate,
    least: 1,
  },
];

/** The four figures, each with its last ten minutes on one time axis, under one crosshair. */
export class FigureRow {
  private readonly traffic: Traffic;
  private readonly parts: readonly Part[];
  private readonly table = h('table');
  /** Seconds back from now where the crosshair stands; null: nowhere. */
  private back: number | null = null;
  private drawn = 0;
  private tabled = 0;

  constructor(traffic: Traffic) {
    this.traffic = traffic;
    this.parts = KINDS.map(partOf);
    const section = byId('figures');
    section.append(...this.parts.map(({ root }) => root), h('div', { class: 'unseen' }, this.table));
    for (const { chart } of this.parts) {
      chart.addEventListener('pointermove', (event) => {
        const { left, width } = chart.getBoundingClientRect();
        this.point(Math.round((1 - (event.clientX - left) / width) * (this.span() - 1)));
      });
      chart.addEventListener('pointerleave', () => this.point(null));
    }
    section.addEventListener('keydown', ({ key }) => {
      const step = Math.round(this.span() / 60);
      if (key === 'ArrowLeft') this.point((this.back ?? 0) + step);
      else if (key === 'ArrowRight') this.point(this.back === null ? null : this.back - step);
      else if (key === 'Escape') this.point(null);
    });
    section.addEventListener('blur', () => this.point(null));
  }

  show(cached: boolean, cache: Cache | null): void {
    this.showNumbers();
    if (cache !== null)
      say(
        this.parts[2]!.beside,
        `${amount(cache.entries)} ${cache.entries === 1 ? 'entry' : 'entries'}, ${bytes(cache.bytes)}`,
      );
    mark(this.parts[2]!.root, 'data-none', cached ? null : '');
    // Lines move on by whole points, so that they don't shimmer.
    if (this.traffic.until - this.drawn < EVERY * 1000) return;
    this.drawn = this.traffic.until;
    this.drawLines();
    if (this.traffic.until - this.tabled < TABLE_EVERY) return;
    this.tabled = this.traffic.until;
    this.fillTable();
  }

  private span(): number {
    return SPANS.find((span) => span >= this.traffic.history.length) ?? MOST;
  }

  private point(back: number | null): void {
    const { history } = this.traffic;
    this.back = back === null || back < 0 || back >= history.length ? null : back;
    this.showNumbers();
  }

  private showNumbers(): void {
    const { history, until } = this.traffic;
    const { back } = this;
    const figures = back === null ? this.traffic.now() : history.at(-1 - back)!;
    for (const { value, cross, when, kind } of this.parts) {
      say(value, kind.shown(figures));
      mark(cross, 'hidden', back === null ? '' : null);
      say(when, back === null ? 'now' : `at ${clock(until - back * 1000)}`);
      if (back !== null) cross.style.left = `${(1 - back / (this.span() - 1)) * 100}%`;
    }
  }

  private drawLines(): void {
    const { history } = this.traffic;
    const span = this.span();
    for (const { kind, paths, chart, from, most } of this.parts) {
      const lines = kind.lines.map((line) => highest(history.map(line), EVERY));
      const top = Math.max(kind.least, ...lines.flat().map((value) => value ?? 0));
      chart.firstElementChild!.setAttribute('viewBox', `0 0 ${span / EVERY - 1} ${HEIGHT}`);
      for (const [i, path] of paths.entries())
        path.setAttribute('d', linePath(lines[i]!, span / EVERY, top, HEIGHT));
      say(from, `${span / 60} min ago`);
      say(most, `up to ${kind.most(top)}`);
    }
  }

  /** The lines for whoever can't see them: a row a minute. */
  private fillTable(): void {
    const { history, until } = this.traffic;
    const rows: HTMLElement[] = [];
    for (let end = history.length; end > 0; end -= 60) {
      const minute = history.slice(Math.max(0, end - 60), end);
      const mean = (of: (one: Figures) => number) =>
        minute.reduce((sum, one) => sum + of(one), 0) / minute.length;
      const worst = (of: (one: Figures) => number | null) => highest(minute.map(of), 60)[0]!;
      const cells = [
        rate(mean(({ requests }) => requests)),
        duration(worst(({ p50 }) => p50)),
        duration(worst(({ p99 }) => p99)),
        percent(worst(({ hitShare }) => hitShare)),
        amount(minute.reduce((sum, { errors }) => sum + errors, 0)),
      ];
      const time = clock(until - (history.length - end) * 1000);
      rows.push(h('tr', {}, h('th', { scope: 'row' }, time), ...cells.map((cell) => h('td', {}, cell))));
    }
    const titles = ['Minute up to', 'Requests', 'Worst p50', 'Worst p99', 'Best share from cache', 'Errors'];
    this.table.replaceChildren(
      h('caption', {}, 'The last minutes'),
      h('thead', {}, h('tr', {}, ...titles.map((title) => h('th', { scope: 'col' }, title)))),
      h('tbody', {}, ...rows),
    );
  }
}

interface Part {
  readonly kind: Kind;
  readonly root: HTMLElement;
  readonly value: HTMLElement;
  /** What stands beside the title. */
  readonly beside: HTMLElement;
  readonly chart: HTMLElement;
  readonly paths: readonly SVGElement[];
  readonly cross: HTMLElement;
  readonly from: HTMLElement;
  readonly most: HTMLElement;
  readonly when: HTMLElement;
}

function partOf(kind: Kind): Part {
  const value = h('dd', {}, '–');
  const beside = h('small');
  const paths = kind.lines.map((_, i) => s('path', { class: i === 0 ? 'line' : 'line second', d: '' }));
  const cross = h('span', { class: 'cross', hidden: true });
  const [from, most, when] = [h('span'), h('span'), h('span')];
  const chart = h(
    'div',
    { class: 'chart', 'aria-hidden': 'true' },
    s('svg', { preserveAspectRatio: 'none', viewBox: `0 0 20 ${HEIGHT}` }, ...paths),
    cross,
  );
  const root = h(
    'div',
    { class: 'figure' },
    h('dl', {}, h('dt', {}, kind.title, beside), value),
    chart,
    h('p', { class: 'axis', 'aria-hidden': 'true' }, from, most, when),
    ...(kind.title === 'Share from cache'
      ? [h('div', { class: 'none' }, 'No route keeps answers. This would let one:', h('pre', {}, NO_CACHE))]
      : []),
  );
  return { kind, root, value, beside, chart, paths, cross, from, most, when };
}
