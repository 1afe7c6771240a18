import type { Exchange } from '../http/exchange.ts';
import { type Choice, RoundRobin } from '../upstream/index.ts';
import type { Affinity } from './affinity.ts';
import type { Side } from './side.ts';

/** Chooses the side of a route that takes an exchange. */
export type SideChooser = (exchange: Exchange) => Side;

const BY_WEIGHT: Choice<Side> = { fits: () => true, weight: (side) => side.weight, load: () => 0 };

/** By weight, in smooth turns; with an affinity a client that has a side stays there while it has any weight. */
export function compileSides(sides: readonly Side[], affinity: Affinity | null): SideChooser {
  const turns = new RoundRobin(sides.filter((side) => side.weight > 0));
  const next = () => turns.pick(BY_WEIGHT)!;
  if (sides.length === 1) return () => sides[0]!;
  if (affinity === null) return next;
  const byName = new Map(sides.filter((side) => side.weight > 0).map((side) => [side.name, side]));
  return (exchange) => {
    const given = byName.get(affinity.read(exchange.headers) ?? '');
    if (given !== undefined) return given;
    const side = next();
    exchange.setCookie(affinity.line(side.name, exchange.scheme === 'https'));
    return side;
  };
}
