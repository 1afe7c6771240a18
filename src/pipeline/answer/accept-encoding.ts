import { trimOws } from '../../http/headers.ts';

/** Content codings that can be made here, the best first where the client has no wish. */
export const CODINGS = ['br', 'zstd', 'gzip'] as const;
export type Coding = (typeof CODINGS)[number];

/**
 * The coding a client wants most of those that can be made; null for none (RFC 9110 §12.5.3). Of equal wishes
 * ours decides; `identity` wins only where it is wished for more.
 */
export function chooseCoding(accept: string | undefined): Coding | null {
  if (accept === undefined) return null;
  if (accept === lastAccept) return lastChoice;
  lastAccept = accept;
  lastChoice = choose(parseWishes(accept));
  return lastChoice;
}

/** The last answer is kept: clients of a kind say the same. */
let lastAccept = '';
let lastChoice: Coding | null = null;

function choose(wishes: ReadonlyMap<string, number>): Coding | null {
  const rest = wishes.get('*') ?? 0;
  let best: Coding | null = null;
  let most = wishes.get('identity') ?? 0;
  for (const coding of CODINGS) {
    const wish = wishes.get(coding) ?? (coding === 'gzip' ? wishes.get('x-gzip') : undefined) ?? rest;
    if (wish > 0 && (wish > most || (best === null && wish === most))) {
      best = coding;
      most = wish;
    }
  }
  return best;
}

function parseWishes(accept: string): Map<string, number> {
  const wishes = new Map<string, number>();
  for (const part of accept.toLowerCase().split(',')) {
    const [name, ...parameters] = part.split(';').map(trimOws);
    if (name === undefined || name === '') continue;
    const quality = parameters.find((one) => /^q\s*=/.test(one));
    const value = quality === undefined ? 1 : Number(quality.slice(quality.indexOf('=') + 1));
    wishes.set(name, Number.isFinite(value) ? Math.min(Math.max(value, 0), 1) : 0);
  }
  return wishes;
}
