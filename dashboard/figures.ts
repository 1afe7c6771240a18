import { byId, h, s } from './dom.ts';
import { amount, duration, percent } from './format.ts';
import type { Sample } from './samples.ts';

/** Ten minutes, one sample a second; at first a minute fills the width. */
const MOST = 600;
const LEAST = 60;
const kept: Sample[] = [];
const HEIGHT = 40;

interface Figure {
  readonly title: string;
  shown(sample: Sample): string;
  readonly lines: readonly ((sample: Sample) => number | null)[];
  /** The least that the height stands for. */
  readonly least: number;
}

const FIGURES: readonly Figure[] = [
  {
    title: 'Requests a second',
    shown: ({ requests }) => amount(requests),
    lines: [({ requests }) => requests],
    least: 1,
  },
  {
    title: 'Latency, p50 and p99',
    shown: ({ p50, p99 }) => `${duration(p50)} · ${duration(p99)}`,
    lines: [({ p99 }) => p99, ({ p50 }) => p50],
    least: 0.001,
  },
  {
    title: 'Share from cache',
    shown: ({ hitShare }) => percent(hitShare),
    lines: [({ hitShare }) => hitShare],
    least: 1,
  },
  {
    title: 'Errors a second',
    shown: ({ errors }) => amount(errors),
    lines: [({ errors }) => errors],
    least: 1,
  },
];

/** The four figures, each with its last ten minutes since the page was opened. */
export function showFigures(sample: Sample): void {
  kept.push(sample);
  if (kept.length > MOST) kept.shift();
  byId('figures').replaceChildren(...FIGURES.map(figure));
}

function figure({ title, shown, lines, least }: Figure): HTMLElement {
  const value = shown(kept.at(-1)!);
  const span = Math.max(LEAST, kept.length);
  const most = Math.max(least, ...kept.flatMap((sample) => lines.map((line) => line(sample) ?? 0)));
  const chart = s(
    'svg',
    { viewBox: `0 0 ${span - 1} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    ...lines.map((line, i) =>
      s('polyline', { class: i === 0 ? 'line' : 'line second', points: pointsOf(line, most, span) }),
    ),
  );
  return h('dl', { class: 'figure' }, h('dt', {}, title), h('dd', {}, value), chart);
}

function pointsOf(line: (sample: Sample) => number | null, most: number, span: number): string {
  const from = span - kept.length;
  return kept
    .map(
      (sample, i) => `${from + i},${(HEIGHT - 2 - ((line(sample) ?? 0) / most) * (HEIGHT - 4)).toFixed(1)}`,
    )
    .join(' ');
}
