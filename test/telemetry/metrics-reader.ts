/** A strict reader of the text formats of Prometheus (0.0.4) and OpenMetrics (1.0): anything odd is an error. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: { name: string; labels: Record<string, string>; value: number }[];
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total'],
  histogram: ['_bucket', '_sum', '_count'],
  gauge: [''],
  info: ['_info'],
};

export function readMetrics(text: string, format: 'prometheus' | 'openmetrics'): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const lines = text.slice(0, -1).split('\n');
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('no # EOF at the end');
  const families = new Map<string, Family>();
  let now: Family | null = null;
  let help: [string, string] | null = null;
  for (const line of lines) {
    const comment = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
    if (comment !== null) {
      const [, kind, name, rest] = comment as unknown as [string, string, string, string];
      if (kind === 'HELP') help = [name, rest];
      else if (kind === 'TYPE') {
        if (help?.[0] !== name) throw new Error(`no HELP before ${line}`);
        if (families.has(name)) throw new Error(`${name} stands twice`);
        now = { name, type: rest, help: help[1], samples: [] };
        families.set(name, now);
      } else if (!name.endsWith(`_${rest}`)) throw new Error(`the unit of ${name} is not in its name`);
      continue;
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (sample === null || now === null) throw new Error(`not a line of this format: ${line}`);
    const [, name, labels = '', value] = sample as unknown as [string, string, string | undefined, string];
    const base = format === 'openmetrics' ? now.name : now.name.replace(/_(?:total|info)$/, '');
    const suffixes = format === 'prometheus' && now.type === 'gauge' ? ['', '_info'] : SUFFIXES[now.type]!;
    if (!suffixes.some((suffix) => name === base + suffix))
      throw new Error(`${name} in the family ${now.name}`);
    const number = Number(value.replace('+Inf', 'Infinity'));
    if (Number.isNaN(number)) throw new Error(`no number: ${line}`);
    now.samples.push({ name, labels: readLabels(labels, line), value: number });
  }
  for (const family of families.values()) {
    const seen = new Set(family.samples.map(({ name, labels }) => JSON.stringify([name, labels])));
    if (seen.size !== family.samples.length) throw new Error(`${family.name} has a sample twice`);
  }
  return families;
}

function readLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const match = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/.exec(rest);
    if (match === null) throw new Error(`labels that can't be read: ${line}`);
    labels[match[1]!] = match[2]!.replaceAll(/\\(.)/g, (_, escaped: string) =>
      escaped === 'n' ? '\n' : escaped,
    );
    rest = rest.slice(match[0].length);
  }
  return labels;
}
