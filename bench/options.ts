import { parseArgs } from 'node:util';

export interface BenchOptions {
  suites: string[];
  /** Null: all that are installed. */
  peers: string[] | null;
  rounds: number;
  /** Length of one run. */
  seconds: number;
  connections: number;
  /** Requests a second, in all, where the rate is fixed. */
  rate: number;
}

export const USAGE = `npm run bench -- [SUITE]... [--peers NAME,NAME] [--rounds 5] [--seconds 4] [--connections 64] [--rate 6000]`;

/** What the command line asks for; throws an Error that says what is wrong. */
export function readOptions(args: string[], known: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      peers: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      connections: { type: 'string', default: '64' },
      rate: { type: 'string', default: '6000' },
    },
  });
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`no suite ${unknown.join(', ')}; there are ${known.join(', ')}`);
  return {
    suites: positionals.length > 0 ? positionals : [...known],
    peers: values.peers?.split(',') ?? null,
    rounds: positive('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    connections: positive('connections', values.connections),
    rate: positive('rate', values.rate),
  };
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (!(number > 0) || !Number.isInteger(number))
    throw new Error(`--${name} takes a whole number above 0, not ${text}`);
  return number;
}
